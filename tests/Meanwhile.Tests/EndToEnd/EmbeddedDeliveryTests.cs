using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A publisher with many messages in flight straight to the embedded broker, which is killed and stopped.</summary>
public sealed class EmbeddedDeliveryTests : ProgramTest
{
    private const ushort Messages = 20_000;

    [Theory]
    [InlineData(1, "KILL")]
    [InlineData(2, "KILL")]
    [InlineData(2, "TERM")]
    public async Task Every_reading_is_in_the_file_and_at_qos_2_exactly_once(int qos, string signal)
    {
        var port = MosquittoServer.FreePort();
        var publisher = new RawPublisher(port, qos, inFlight: 100);
        var publishing = publisher.RunAsync(Messages, TestContext.Current.CancellationToken);
        var aggregate = await AggregateAsync(port);
        for (var end = 0; end < 3; end++)
        {
            var sofar = publisher.Completed;
            await Until.TrueAsync(() => publisher.Completed > sofar + 500, () => aggregate.Error);
            await aggregate.SignalAsync(signal);
            Assert.InRange(Distinct(), publisher.Completed, Messages);
            aggregate = await AggregateAsync(port);
        }
        await publishing;

        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(Messages, Distinct());
        Assert.Equal(0, publisher.SessionsLost);
        if (qos == 2)
            Assert.Equal(Messages, Rows());
        Assert.Equal("0", ReadingsFile.Query(Database, "SELECT COUNT(*) FROM received_ids")[0]);
    }

    [Fact]
    public async Task When_it_is_stopped_what_is_committed_is_acknowledged_before_the_connections_close()
    {
        var port = MosquittoServer.FreePort();
        using var stop = new CancellationTokenSource();
        var publisher = new RawPublisher(port, qos: 1, inFlight: 100);
        var publishing = publisher.RunAsync(ushort.MaxValue, stop.Token);
        var aggregate = await AggregateAsync(port);
        await Until.TrueAsync(() => publisher.Completed > 500, () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());

        await Until.TrueAsync(() => publisher.Completed == Rows(), () => $"{publisher.Completed} acknowledged, {Rows()} committed; {aggregate.Error}");
        Assert.Contains($"received {Rows()} = committed {Rows()} + quarantined 0 + duplicates 0 + expired 0; acknowledged {Rows()};", aggregate.Error, StringComparison.Ordinal);
        await stop.CancelAsync();
        await Task.WhenAny(publishing); // In vain: the broker does not come back.
    }

    private int Distinct() => int.Parse(ReadingsFile.Query(Database, "SELECT COUNT(DISTINCT number) FROM messages")[0]);

    private async Task<RunningProgram> AggregateAsync(int port)
    {
        var aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{port}"]);
        await aggregate.SaysAsync("read back");
        return aggregate;
    }
}
