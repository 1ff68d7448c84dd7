using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The publisher against a broker of raw bytes.</summary>
public sealed class PublisherTests : ProgramTest
{
    private readonly RawBroker _broker = new(); // Gone with the process: a listener on loopback.

    [Fact]
    public async Task What_is_in_flight_when_it_is_told_to_stop_is_waited_for()
    {
        var publish = Meanwhile(["publish", "--interval", "0", "--count", "2"], ("BROKER", _broker.Address));
        using var broker = await AcceptAsync();
        var (first, second) = (await broker.ReceiveAsync(), await broker.ReceiveAsync());
        var ended = publish.TerminateAsync();
        await publish.SaysAsync("stopping");
        await broker.SendAsync("4002" + Id(first) + "4002" + Id(second));
        Assert.Equal(0, await ended);
        Assert.Contains("2 messages published, all acknowledged", publish.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_that_end_as_soon_as_they_are_accepted_leave_nothing_hanging()
    {
        var publish = Meanwhile(["publish", "--interval", "0", "--count", "1"], ("BROKER", _broker.Address));
        for (var i = 0; i < 2; i++)
            (await AcceptAsync()).Dispose();
        using var broker = await AcceptAsync();
        await broker.SendAsync("4002" + Id(await broker.ReceiveAsync()));
        Assert.Equal(0, await publish.ExitAsync());
    }

    // After the topic DATA.
    private static string Id(string publish) => publish[16..20];

    private async Task<RawConnection> AcceptAsync()
    {
        var connection = await _broker.AcceptAsync();
        await connection.ReceiveAsync();
        await connection.SendAsync("2003000000");
        return connection;
    }
}
