using Meanwhile.Pipeline;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Pipeline;

/// <summary>What the data path pays for traces that nobody collects.</summary>
public class PipelineTracingTests
{
    [Fact]
    public void While_nobody_collects_traces_nothing_is_made()
    {
        Turn();
        Assert.Equal(0, Allocations.Of(static () =>
        {
            for (var i = 0; i < 1000; i++)
                Turn();
        }));

        static void Turn()
        {
            using var turn = PipelineTracing.Turn();
            using var part = PipelineTracing.Part("commit");
            part.Fail("reason");
            Assert.Null(turn);
            Assert.Null(part);
        }
    }
}
