using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What the program tells over HTTP when its readings are on a PostgreSQL server, which is stopped and started again.</summary>
[Trait("peer", "PostgreSQL")]
public sealed class HttpPostgresTests : HttpTest, IAsyncLifetime
{
    private PostgresServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PostgresServer.StartNewAsync();

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_present_and_the_past_are_told_and_a_server_that_is_away_is_no_readiness()
    {
        var url = await _server.CreateDatabaseAsync();
        var (program, http, mqtt) = await ServeAsync([("DB_FILE", url)]);
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var payload in new[] { "1", "2", "6", "no number" })
            await sender.SendAsync("DATA", payload);
        Assert.Equal("{\"avg_1min\": 3, \"avg_5min\": 3, \"avg_30min\": 3}", await ResultAsync("/api/statistics"));
        Assert.Equal("{\"avg_1min\": 3, \"avg_5min\": 3, \"avg_30min\": 3}", await ResultAsync($"/api/statistics?at={TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1}"));
        Assert.Equal([1, 2, 6], (await JsonAsync(http, "/api/readings")).GetProperty("readings").EnumerateArray().Select(reading => reading.GetProperty("number").GetInt32()));
        Assert.Equal(1, (await JsonAsync(http, "/api/quarantine")).GetProperty("messages").GetArrayLength());
        Assert.Equal(200, await StatusAsync(http, "/readyz"));

        await _server.StopAsync("QUIT");
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 503, () => program.Error);
        Assert.StartsWith("the store is away", (await ProblemAsync(http, "/readyz")).Detail, StringComparison.Ordinal);
        Assert.Equal(200, await StatusAsync(http, "/healthz"));
        Assert.Equal(503, (await ProblemAsync(http, "/api/readings")).Status);
        Assert.Contains("\nmeanwhile_store_available 0\n", await Client.GetStringAsync(new Uri(http, "/metrics"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("{\"avg_1min\": 3, \"avg_5min\": 3, \"avg_30min\": 3}", await ResultAsync("/api/statistics"));

        await _server.StartAsync();
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 200, () => program.Error);
        Assert.Equal(3, (await JsonAsync(http, "/api/readings")).GetProperty("readings").GetArrayLength());
        Assert.Equal(0, await program.TerminateAsync());

        async Task<string> ResultAsync(string path) => (await JsonAsync(http, path)).GetProperty("statistics")[0].GetProperty("result").GetRawText();
    }

    [Fact]
    public async Task A_server_that_is_away_at_the_start_is_waited_for()
    {
        var url = await _server.CreateDatabaseAsync();
        await _server.StopAsync();
        var program = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--http", "127.0.0.1:0"], ("DB_FILE", url));
        await program.SaysAsync("nothing can be committed");
        var http = AddressOf(program);
        Assert.StartsWith("the store is away", (await ProblemAsync(http, "/readyz")).Detail, StringComparison.Ordinal);
        Assert.Equal(200, await StatusAsync(http, "/healthz"));
        await _server.StartAsync();
        await Until.TrueAsync(async () => await StatusAsync(http, "/readyz") == 200, () => program.Error);
        Assert.Equal(0, await program.TerminateAsync());
    }
}
