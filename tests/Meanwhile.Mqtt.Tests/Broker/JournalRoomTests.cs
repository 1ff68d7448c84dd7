using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>A journal that is full is waited for, and no longer than it is full.</summary>
public sealed class JournalRoomTests
{
    private const int Rounds = 100_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Whoever_comes_to_wait_in_the_moment_in_which_there_is_room_again_goes_on()
    {
        var store = new ManualStore();
        store.EndAll();
        using var journal = new Journal(store);
        var filling = new MessageQueued("c", 1, new Message { Topic = "t", Payload = new byte[16 << 20] }, 1, Retain: false, Identifiers: null);
        var random = new Random(1);
        for (var round = 0; round < Rounds; round++)
        {
            journal.Append(filling, null);
            Thread.SpinWait(random.Next(300));
            await journal.RoomAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken); // Nobody appends anything meanwhile.
        }
        await journal.StopAsync();
        await journal.Completion;
    }
}
