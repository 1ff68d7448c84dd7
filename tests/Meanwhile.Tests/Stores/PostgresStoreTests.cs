using Meanwhile.Stores;
using Meanwhile.Stores.Postgres;
using Meanwhile.Tests.Support;
using Npgsql;
using static Meanwhile.Tests.Support.PostgresServer;
using static Meanwhile.Tests.Support.StoreExtensions;

namespace Meanwhile.Tests.Stores;

/// <summary>The contract, and what is particular to a PostgreSQL server: what psql sees, who may come in, and what is refused.</summary>
[Trait("peer", "PostgreSQL")]
public sealed class PostgresStoreTests(PostgresFixture fixture) : QuarantineContractTests
{
    private string? _url;

    private protected override async Task<string> NameAsync() => _url ??= await (await fixture.ServerAsync()).CreateDatabaseAsync();

    private protected override async Task<IAsyncDisposable> DisturbAsync()
    {
        var connection = await ConnectAsync(_url!);
        await using var work = new NpgsqlCommand("BEGIN; LOCK TABLE meanwhile IN EXCLUSIVE MODE", connection);
        await work.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private protected override Task<List<string>> SeriesAsync() => QueryAsync(_url!, "SELECT topic FROM series");

    [Fact]
    public async Task The_readings_are_there_for_psql()
    {
        using var store = await OpenAsync();
        store.Commit(Batch(new("a", Now, 46), new("b", Now + 123, 45)));
        Assert.Equal(["45.5"], await QueryAsync(_url!, "SELECT AVG(number) FROM messages"));
        Assert.Equal(["46|1700000000|a", "45|1700000000.123|b"], await QueryAsync(_url!, "SELECT m.number, epochtime, topic FROM messages m JOIN series ON id = series ORDER BY epochtime"));
    }

    [Fact]
    public async Task Others_may_read_beside_the_owner_what_there_was_at_one_moment()
    {
        var address = PostgresAddress.Parse(await NameAsync());
        Assert.Contains("has no readings", Assert.Throws<UserException>(() => PostgresReader.Open(address, "DATA", TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        using var store = await OpenAsync();
        var batch = Batch(new("a", Now, 1), new("b", Now - 1, 2));
        batch.Quarantined.Add(new(Now, "odd", new byte[] { 1 }, "because"));
        store.Commit(batch);
        using var reader = PostgresReader.Open(address, "DATA", TestContext.Current.CancellationToken);
        store.Commit(Batch(new Reading("c", Now, 3)), cutoff: Now);
        Assert.Equal([new("b", Now - 1, 2), new("a", Now, 1)], reader.ReadReadings(0, long.MaxValue));
        Assert.Equal(["odd"], reader.ReadQuarantine().Select(m => m.Message.Topic));
        Assert.Equal([1, 3], store.ReadAll().Select(r => r.Value));
    }

    [Fact]
    public async Task A_topic_with_a_zero_does_not_stop_the_flow()
    {
        using var store = await OpenAsync();
        var batch = Batch(new Reading("a\0b", Now, 1));
        batch.Quarantined.Add(new(Now, "c\0", new byte[] { 0 }, "d\0"));
        store.Commit(batch);
        Assert.Equal("c\ufffd", store.ReadQuarantine().Single().Message.Topic);
        Assert.Single(store.ReadAll());
    }

    [Theory]
    [InlineData("''", "the topic is empty")]
    [InlineData("'a/#'", "'a/#' is no topic of a message")]
    [InlineData("repeat('x', 65536)", "the topic has 65536 bytes")]
    public async Task A_series_whose_name_is_none_is_left_out_and_said(string name, string expected)
    {
        using (var store = await OpenAsync())
            store.Commit(Batch(new("bad", Now, 1), new("good", Now, 2)));
        await ExecuteAsync(_url!, $"UPDATE series SET topic = {name} WHERE topic = 'bad'");
        using var again = await OpenAsync();
        List<LeftOut> leftOut = [];
        using var reader = Store.OpenForReading(_url!, "DATA", leftOut.Add, stop: TestContext.Current.CancellationToken);
        Assert.Equal([new("good", Now, 2)], reader.ReadReadings(0, long.MaxValue));
        Assert.Equal([new("good", Now, 2)], again.ReadAll());
        Assert.Equal(again.FindLeftOut(), leftOut);
        Assert.Equal(1, Assert.Single(leftOut).Readings);
        Assert.Contains(expected, leftOut[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_schemas_of_a_database_are_two_stores()
    {
        var url = await NameAsync();
        await ExecuteAsync(url, "CREATE SCHEMA other");
        using var store = await OpenAsync();
        _url = url + "?options=-csearch_path%3Dother";
        using var other = await OpenAsync();
        other.Commit(Batch(new Reading("a", Now, 1)));
        Assert.Empty(store.ReadAll());
        Assert.Equal(["1"], await QueryAsync(url, "SELECT number FROM other.messages"));
    }

    [Fact]
    public async Task Commits_wait_for_the_disk_whatever_the_servers_default()
    {
        await ExecuteAsync(await NameAsync(), "ALTER ROLE me IN DATABASE " + new Uri(_url!).AbsolutePath.Trim('/') + " SET synchronous_commit = off");
        using var store = await OpenAsync();
        store.Commit(Batch(new Reading("a", Now, 1)));
        Assert.Equal(["off"], await QueryAsync(_url!, "SHOW synchronous_commit"));
        var before = await QueryAsync(_url!, "SELECT pg_current_wal_insert_lsn() = pg_current_wal_flush_lsn()");
        Assert.Equal(["True"], before);
    }

    [Theory]
    [InlineData("CREATE TABLE messages (a int)", "relation \"messages\" already exists, and it is not ours: expected a database or a schema without it")]
    [InlineData("CREATE TABLE meanwhile AS SELECT 99 AS version", "written by a newer version of meanwhile")]
    [InlineData("DROP SCHEMA public", "no schema of the search path exists: make one with CREATE SCHEMA")]
    public async Task A_database_that_is_not_ours_is_left_alone(string sql, string message)
    {
        await ExecuteAsync(await NameAsync(), sql);
        await AssertRefusedAsync(_url!, message);
    }

    [Fact]
    public async Task What_does_not_heal_is_one_line_without_the_password()
    {
        var server = await fixture.ServerAsync();
        var url = await NameAsync();
        await AssertRefusedAsync(server.Url("missing"), "database \"missing\" does not exist: make it with CREATE DATABASE");
        await AssertRefusedAsync($"postgres://me:secret@127.0.0.1:{server.Port}/postgres", "the server does not let us in");
        await AssertRefusedAsync($"postgres://me@127.0.0.1:{server.Port}/postgres", "PGPASSWORD or ~/.pgpass");
        await AssertRefusedAsync(url + "?sslmode=require", "SSL");
        await AssertRefusedAsync(await server.CreateDatabaseAsync(with: "ENCODING 'LATIN1' TEMPLATE template0"), "ENCODING 'UTF8'");
        await ExecuteAsync(url, "CREATE ROLE guest LOGIN PASSWORD 'secret'");
        await AssertRefusedAsync($"postgres://guest:secret@127.0.0.1:{server.Port}{new Uri(url).AbsolutePath}", "permission denied for schema public: expected a user that may make tables");
    }

    private async Task AssertRefusedAsync(string url, string message)
    {
        _url = url;
        var failure = await Assert.ThrowsAsync<UserException>(() => OpenAsync());
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("p%40ss", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }
}
