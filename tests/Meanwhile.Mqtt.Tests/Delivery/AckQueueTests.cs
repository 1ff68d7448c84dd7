using Meanwhile.Mqtt.Delivery;
using Meanwhile.Mqtt.Tests.Support;

namespace Meanwhile.Mqtt.Tests.Delivery;

public class AckQueueTests
{
    [Theory]
    [InlineData(AckKind.PubAck)]
    [InlineData(AckKind.PubRec)]
    public void A_refusal_looks_at_no_more_than_its_message_however_much_is_owed(AckKind kind)
    {
        const int Owed = 50_000;
        var queue = new AckQueue();
        for (var round = 0; round < 2; round++)
        {
            var numbers = Enumerable.Range(1, Owed).Select(id => queue.Add(new Acknowledgement(kind, (ushort)id, Found: true))).ToList();
            for (var id = Owed; id > 0; id--)
            {
                queue.Refuse(kind, (ushort)id);
                queue.Finish(numbers[id - 1]);
            }
            for (var id = 1; id <= Owed; id++)
            {
                Assert.True(queue.TryTake(out var acknowledgement));
                Assert.Equal(new Acknowledgement(kind, (ushort)id, Found: true) { IsRefused = true }, acknowledgement);
            }
        }
        Assert.InRange(queue.Steps, 1, 2 * 2 * Owed);
    }

    [Fact]
    public void What_is_not_refused_costs_no_lookups_once_refusals_have_left()
    {
        var queue = new AckQueue();
        var refused = queue.Add(new Acknowledgement(AckKind.PubAck, 1, Found: true));
        queue.Refuse(AckKind.PubAck, 1);
        queue.Finish(refused);
        Assert.True(queue.TryTake(out _));
        var before = queue.Steps;
        for (var i = 0; i < 1000; i++)
        {
            queue.Finish(queue.Add(new Acknowledgement(AckKind.PubAck, 1, Found: true)));
            Assert.True(queue.TryTake(out var acknowledgement));
            Assert.False(acknowledgement.IsRefused);
        }
        Assert.Equal(before, queue.Steps);
    }

    [Fact]
    public void Refusals_that_have_left_are_forgotten_also_while_there_is_always_more_that_is_owed()
    {
        const int InFlight = 10;
        var queue = new AckQueue();
        for (var id = 1; id <= ushort.MaxValue; id++)
        {
            queue.Add(new Acknowledgement(AckKind.PubAck, (ushort)id, Found: true));
            if (id <= InFlight)
                continue;
            queue.Refuse(AckKind.PubAck, (ushort)(id - InFlight));
            queue.Finish(id - InFlight - 1);
            Assert.True(queue.TryTake(out var acknowledgement));
            Assert.Equal(new Acknowledgement(AckKind.PubAck, (ushort)(id - InFlight), Found: true) { IsRefused = true }, acknowledgement);
            Assert.InRange(queue.Refusals, 1, 100);
        }
    }

    [Fact]
    public void Whatever_is_finished_withdrawn_and_refused_it_says_what_a_plain_list_says()
    {
        var random = Seeds.Random();
        var (queue, model, first) = (new AckQueue(), new List<Owed>(), 0);
        for (var round = 0; round < 100_000; round++)
        {
            var (kind, id) = ((AckKind)random.Next(3), (ushort)random.Next(1, 6));
            switch (random.Next(10))
            {
                case < 4:
                    Assert.Equal(model.Count, queue.Add(new Acknowledgement(kind, id, Found: true)));
                    model.Add(new Owed(new Acknowledgement(kind, id, Found: true)));
                    break;
                case 4:
                    queue.Refuse(kind, id);
                    foreach (var owed in model.Skip(first).Where(owed => owed.Acknowledgement.Kind == kind && owed.Acknowledgement.PacketId == id))
                        owed.Acknowledgement = owed.Acknowledgement with { IsRefused = true };
                    break;
                case 5 when random.Next(1000) == 0:
                    queue.Clear();
                    first = model.Count;
                    break;
                case 6 when random.Next(20) == 0 && first < model.Count && !model[^1].IsFinished:
                    queue.Withdraw(model.Count - 1);
                    model[^1].IsWithdrawn = true;
                    queue.Finish(model.Count - 1); // So that it does not hold up the others for ever.
                    model[^1].IsFinished = true;
                    break;
                default:
                    var number = random.Next(Math.Max(0, first - 2), model.Count + 1);
                    Assert.Equal(number >= first && number < model.Count && !model[number].IsFinished, queue.Finish(number));
                    if (number >= first && number < model.Count)
                        model[number].IsFinished = true;
                    break;
            }
            while (queue.TryTake(out var acknowledgement))
                Assert.Equal(model[first++].Acknowledgement, acknowledgement);
            Assert.False(first < model.Count && model[first].IsFinished);
            Assert.Equal(model.Count - first, queue.Count);
            if (round % 100 == 0)
                Assert.Equal(model.Skip(first).Where(owed => !owed.IsWithdrawn).Select(owed => owed.Acknowledgement), queue.All);
        }
    }

    private sealed class Owed(Acknowledgement acknowledgement)
    {
        public Acknowledgement Acknowledgement { get; set; } = acknowledgement;

        public bool IsFinished { get; set; }

        public bool IsWithdrawn { get; set; }
    }
}
