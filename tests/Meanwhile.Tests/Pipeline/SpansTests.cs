using Meanwhile.Pipeline;

namespace Meanwhile.Tests.Pipeline;

/// <summary>What the data path pays for traces that nobody collects.</summary>
public class SpansTests
{
    [Fact]
    public void While_nobody_collects_traces_nothing_is_made()
    {
        Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Turn();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void Turn()
        {
            using var turn = Spans.Turn();
            using var part = Spans.Part("commit");
            part.Fail("reason");
            Assert.Null(turn);
            Assert.Null(part);
        }
    }
}
