using Meanwhile.Web;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Tests.Web;

/// <summary>Large answers use a share of the processors, and no threads of the pool.</summary>
public sealed class LargeResponseQueueTests
{
    [Fact]
    public async Task Answers_of_all_kinds_share_the_processors_and_have_their_own_thread()
    {
        using var processors = new SemaphoreSlim(1);
        using var past = new LargeResponseQueue(processors);
        using var present = new LargeResponseQueue(processors);
        using var mayEnd = new SemaphoreSlim(0);
        var begun = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = past.RunAsync(new DefaultHttpContext(), () =>
        {
            begun.SetResult(Thread.CurrentThread.IsThreadPoolThread);
            mayEnd.Wait(TestContext.Current.CancellationToken);
            return Task.CompletedTask;
        });
        Assert.False(await begun.Task);
        var second = present.RunAsync(new DefaultHttpContext(), () => Task.FromResult(processors.CurrentCount));
        Assert.Equal((0, false), (processors.CurrentCount, second.IsCompleted));
        mayEnd.Release();
        await Task.WhenAll(first, second);
        Assert.Equal(1, processors.CurrentCount);
    }

    [Fact]
    public async Task A_slow_reader_does_not_block_the_next_answer()
    {
        using var processors = new SemaphoreSlim(1);
        using var queue = new LargeResponseQueue(processors);
        var taken = new TaskCompletionSource();
        var slow = queue.RunAsync(new DefaultHttpContext(), () => taken.Task);
        await queue.RunAsync(new DefaultHttpContext(), () => Task.CompletedTask);
        Assert.False(slow.IsCompleted);
        taken.SetResult();
        await slow;
    }

    [Fact]
    public async Task A_failure_and_a_closed_connection_release_the_turn()
    {
        using var processors = new SemaphoreSlim(1);
        using var queue = new LargeResponseQueue(processors);
        await Assert.ThrowsAsync<ProblemException>(() => queue.RunAsync(new DefaultHttpContext(), () => throw ProblemException.Rebuilding()));
        var gone = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.RunAsync(gone, () => Task.CompletedTask));
        await queue.RunAsync(new DefaultHttpContext(), () => Task.CompletedTask);
        Assert.Equal(1, processors.CurrentCount);
    }
}
