using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A broker that holds the session of an earlier run, which was subscribed to something else.</summary>
public sealed class SurplusTests : MosquittoTest
{
    [Theory]
    [InlineData("#", "fresh/#", "fresh.db")]
    [InlineData("b/+", "fresh/#", "fresh.db")]
    [InlineData("b/1", "fresh/x", "fresh.db")]
    [InlineData("b/#", "fresh/#", "tmp/test.db")] // The same file, which knows the subscription.
    [InlineData("+/+", "+/x", "fresh.db")]
    public async Task Readings_that_were_never_asked_for_are_neither_stored_nor_lost_sight_of(string earlier, string filter, string database)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto, "--topic", earlier)).TerminateAsync());
        await PublishAsync(mosquitto, "b/1", "1", "-q", "1");
        await PublishAsync(mosquitto, "fresh/x", "2", "-q", "2");

        var aggregate = await AggregateAsync(mosquitto, "--topic", filter, "--db", database);
        if (database == "fresh.db")
            await aggregate.SaysAsync($"an earlier run's subscription to {earlier} was ended");
        var isQueued = earlier is "#" or "+/+";
        await PublishAsync(mosquitto, "b/1", "3", "-q", "1");
        await PublishAsync(mosquitto, "fresh/x", "4", "-q", "1");
        await Until.TrueAsync(() => Readings().EndsWith("fresh/x 4", StringComparison.Ordinal), () => aggregate.Error);
        Assert.Equal(isQueued ? "fresh/x 2, fresh/x 4" : "fresh/x 4", Readings());
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains(isQueued ? "received 3 = committed 2 + quarantined 0 + duplicates 0 + expired 0 + ignored 1; acknowledged 3" : "received 2 = committed 1 + quarantined 0 + duplicates 0 + expired 0 + ignored 1; acknowledged 2", aggregate.Error, StringComparison.Ordinal);
        Assert.Equal(2, aggregate.Error.Split("it matches no filter in force").Length);

        string Readings() => string.Join(", ", ReadingsFile.Query(Folder[database], "SELECT topic || ' ' || number FROM messages JOIN series ON series.id = messages.series ORDER BY number"));
    }

    [Theory]
    [InlineData("plant/a", "plant/#")]
    [InlineData("plant/#", "plant/a")]
    [InlineData("plant/+", "plant/#")]
    [InlineData("+/a", "plant/+")]
    [InlineData("plant/a", "$share/group/plant/#")]
    public async Task What_an_earlier_filter_brings_as_well_is_not_counted_twice(string earlier, string filter)
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto, "--topic", earlier)).TerminateAsync());
        for (var i = 0; i < 5; i++)
            await PublishAsync(mosquitto, "plant/a", $"{i}", "-q", "1"); // Waits, and is nobody's copy.
        var aggregate = await AggregateAsync(mosquitto, "--topic", filter, "--db", "fresh.db");
        await PublishAsync(mosquitto, "plant/a", "5", "-q", "1"); // It may come from both.
        await PublishAsync(mosquitto, "plant/a", "6", "-q", "1"); // It ends the other one at the latest.
        await aggregate.SaysAsync($"an earlier run's subscription to {earlier} was ended");
        for (var i = 7; i < 10; i++)
            await PublishAsync(mosquitto, "plant/a", $"{i}", "-q", "1");
        await Until.TrueAsync(() => Numbers().EndsWith(", 9", StringComparison.Ordinal), () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal("0, 1, 2, 3, 4, 5, 6, 7, 8, 9", Numbers().Replace("5, 5", "5", StringComparison.Ordinal));

        string Numbers() => string.Join(", ", ReadingsFile.Query(Folder["fresh.db"], "SELECT number FROM messages ORDER BY number"));
    }

    [Fact]
    public async Task A_filter_that_narrows_an_earlier_one_misses_nothing_and_takes_nothing_twice()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        Assert.Equal(0, await (await AggregateAsync(mosquitto, "--topic", "plant/#")).TerminateAsync());
        for (var i = 0; i < 20; i++)
            await PublishAsync(mosquitto, i % 2 == 0 ? "plant/a" : "plant/b", $"{i}", "-q", "2");
        var aggregate = await AggregateAsync(mosquitto, "--topic", "plant/a");
        await PublishAsync(mosquitto, "plant/a", "100", "-q", "1");
        await PublishAsync(mosquitto, "plant/b", "101", "-q", "1");
        await Until.TrueAsync(() => Rows() == 11, () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("received 21 = committed 11 + quarantined 0 + duplicates 0 + expired 0 + ignored 10", aggregate.Error, StringComparison.Ordinal);
    }
}
