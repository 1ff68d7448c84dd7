using Meanwhile.Tests.Support;
using Meanwhile.Trials;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Tests.Trials;

/// <summary>What trials read of a store is what is in it.</summary>
public sealed class StoreExportTests : ProgramTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "meanwhile");

    [Fact]
    public async Task Readings_below_a_topic_come_as_they_are_and_others_are_left_out()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await File.WriteAllTextAsync(
            Folder["readings.json"],
            $$"""
            {"topic": "mine/1", "number": 1.5, "epochtime": "{{now}}.123"}
            {"topic": "mine/2", "number": -1e300, "epochtime": "{{now}}.124"}
            {"topic": "other, \"mine/3\"", "number": 3, "epochtime": "{{now}}.125"}

            """,
            TestContext.Current.CancellationToken);
        Assert.Equal(0, await Meanwhile(["import", Folder["readings.json"], "--db", Database]).ExitAsync());
        List<StoredReading> readings = [];
        await StoreExport.ReadAsync(Program, Database, "mine/", Folder["log"], readings.Add, TestContext.Current.CancellationToken);
        Assert.Equal([new("mine/1", (now * 1000) + 123, 1.5), new("mine/2", (now * 1000) + 124, -1e300)], readings);
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_a_failure_and_not_empty()
    {
        var failure = await Assert.ThrowsAsync<TrialException>(() => StoreExport.ReadAsync(Program, Folder["nothing.db"], "", Folder["log"], _ => { }, TestContext.Current.CancellationToken));
        Assert.StartsWith("the store cannot be read by export (exit code 1: meanwhile: ", failure.Message, StringComparison.Ordinal);
    }
}
