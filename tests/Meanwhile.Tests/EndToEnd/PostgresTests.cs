using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;
using Npgsql;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The aggregator on a PostgreSQL server; both are stopped and killed while readings come in.</summary>
[Trait("peer", "PostgreSQL")]
public sealed class PostgresTests : MosquittoTest, IAsyncLifetime
{
    private const int Messages = 1200;
    private PostgresServer _server = null!;
    private string _url = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartNewAsync();
        _url = await _server.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("export")]
    [InlineData("query")]
    public async Task Tables_that_another_session_holds_keep_nobody_from_the_end(string verb)
    {
        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"], ("DB_FILE", _url));
        await aggregate.SaysAsync("is listening");
        Assert.Equal(0, await aggregate.TerminateAsync());
        await using var holder = await PostgresServer.ConnectAsync(_url);
        await using (var hold = new NpgsqlCommand("BEGIN; LOCK TABLE messages, series IN ACCESS EXCLUSIVE MODE", holder))
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var reader = Meanwhile([verb], ("DB_FILE", _url));
        await Until.TrueAsync(
            async () => await PostgresServer.QueryAsync(_url, "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") is ["1"], () => reader.Error);
        Assert.Equal(0, await reader.TerminateAsync());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task Nothing_is_lost_when_the_server_and_the_aggregator_go_down_under_load(string qos)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var results = await SubscribeAsync(mosquitto, "STATS", "%p");
        var aggregate = await AggregateAsync(mosquitto.Address, "subscribed to");
        var publisher = Peer("mosquitto_pub", "-p", mosquitto.Port.ToString(), "-t", "DATA", "-q", qos, "-l");
        for (var i = 0; i < Messages; i++)
        {
            await publisher.Input.WriteLineAsync($$"""{"number": {{i}}, "epochtime": "{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}}"}""");
            if (i % 10 == 9)
                await publisher.Input.FlushAsync(TestContext.Current.CancellationToken);
            if (i is 200 or 500)
                await RestartServerAsync(aggregate, i == 200 ? "QUIT" : "INT", i / 10);
            if (i == 800)
            {
                await aggregate.KillAsync();
                aggregate = await AggregateAsync(mosquitto.Address, "subscribed to");
            }
        }
        publisher.Input.Close();
        Assert.Equal(0, await publisher.ExitAsync());
        await Until.TrueAsync(async () => await CountAsync("COUNT(DISTINCT number)") == Messages, () => aggregate.Error);
        if (qos == "2")
            Assert.Equal(Messages, await CountAsync("COUNT(*)"));

        await PublishAsync(mosquitto, "DATA", "-1", "-q", "1");
        await Until.TrueAsync(async () => await CountAsync("COUNT(*) FILTER (WHERE number = -1)") == 1, () => aggregate.Error);
        var mean = ReadingsFile.ExactMean(await NumbersAsync());
        await results.WaitAsync(() => LastMean(results.Output) == mean, $"the last mean is {mean}");
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.DoesNotContain("p%40ss", aggregate.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_at_the_start_is_waited_for()
    {
        await _server.StopAsync();
        var port = MosquittoServer.FreePort();
        var aggregate = await AggregateAsync($"embedded://127.0.0.1:{port}", "nothing can be committed");
        Assert.Matches(@"postgres://me:…@127\.0\.0\.1:\d+/test1: the server is not there \(Connection refused\); trying again until it can", aggregate.Error);
        await _server.StartAsync();
        await aggregate.SaysAsync("read back");

        var publish = Meanwhile(["publish", "--count", "300", "--rate", "500", "--verbose"], ("BROKER", $"127.0.0.1:{port}"));
        await publish.WaitAsync(() => Regex.Count(publish.Error, "published \\{") > 50, "readings are acknowledged");
        await aggregate.KillAsync();
        Assert.InRange(await CountAsync("COUNT(*)"), Regex.Count(publish.Error, "published \\{"), int.MaxValue);
        aggregate = await AggregateAsync($"embedded://127.0.0.1:{port}", "read back");
        Assert.Equal(0, await publish.ExitAsync());
        Assert.InRange(await CountAsync("COUNT(*)"), 300, int.MaxValue);
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    [Fact]
    public async Task A_server_that_goes_away_while_the_windows_are_rebuilt_is_waited_for()
    {
        var broker = $"embedded://127.0.0.1:{MosquittoServer.FreePort()}";
        var aggregate = await AggregateAsync(broker, "read back");
        Assert.Equal(0, await Meanwhile(["publish", "--count", "5", "--rate", "500"], ("BROKER", broker[11..])).ExitAsync());
        Assert.Equal(0, await aggregate.TerminateAsync());
        await using (await LockAsync())
        {
            aggregate = await AggregateAsync(broker, "another session has locked its tables; trying again until it can");
            await _server.StopAsync();
        }
        await aggregate.SaysAsync("the server is not there");
        await _server.StartAsync();
        await aggregate.SaysAsync("5 readings of 1 series read back");
        Assert.Equal(0, await Meanwhile(["publish", "--count", "1"], ("BROKER", broker[11..])).ExitAsync());
        Assert.Equal(6, await CountAsync("COUNT(*)"));
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    [Fact]
    public async Task Told_to_stop_while_it_waits_for_the_windows_it_stops()
    {
        Assert.Equal(0, await (await AggregateAsync("embedded://127.0.0.1:0", "read back")).TerminateAsync());
        await using var held = await LockAsync();
        var aggregate = await AggregateAsync("embedded://127.0.0.1:0", "another session has locked its tables");
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    private async Task<NpgsqlConnection> LockAsync()
    {
        var connection = await PostgresServer.ConnectAsync(_url);
        await using var work = new NpgsqlCommand("BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE", connection);
        await work.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private async Task RestartServerAsync(RunningProgram aggregate, string signal, int committed)
    {
        await Until.TrueAsync(async () => await CountAsync("COUNT(*)") > committed, () => aggregate.Error);
        var before = Regex.Count(aggregate.Error, "committing again");
        await _server.StopAsync(signal);
        await aggregate.SaysAsync("nothing can be committed");
        await _server.StartAsync();
        await aggregate.WaitAsync(() => Regex.Count(aggregate.Error, "committing again") > before, "it commits again");
    }

    private async Task<RunningProgram> AggregateAsync(string broker, string says)
    {
        var aggregate = Meanwhile(["aggregate"], ("BROKER", broker), ("DB_FILE", _url));
        await aggregate.SaysAsync(says);
        return aggregate;
    }

    private async Task<int> CountAsync(string what) => int.Parse((await PostgresServer.QueryAsync(_url, $"SELECT {what} FROM messages"))[0], CultureInfo.InvariantCulture);

    private async Task<List<double>> NumbersAsync() =>
        [.. (await PostgresServer.QueryAsync(_url, "SELECT number FROM messages")).Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    private static double? LastMean(string output) =>
        output.TrimEnd('\n').Split('\n')[^1] is { Length: > 0 } last ? JsonDocument.Parse(last).RootElement.GetProperty("avg_30min").GetDouble() : null;
}
