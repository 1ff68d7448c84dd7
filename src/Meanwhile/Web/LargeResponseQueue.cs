using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>
/// Lets large answers of one kind take turns, so that they need little memory and processor time. A few requests may wait. Answers of all kinds together use at most
/// half of the processors, and no threads of the pool: those have to be free for publishers.
/// </summary>
/// <param name="processors">Shared by all kinds.</param>
internal sealed class LargeResponseQueue(SemaphoreSlim processors) : IDisposable
{
    private const int MostWaiting = 16;

    private readonly SemaphoreSlim _turn = new(1);
    private int _present;

    /// <summary>Makes an answer, and lets the next one begin once it is being sent.</summary>
    /// <param name="context">Who asks.</param>
    /// <param name="answer">Makes it before it waits for anything, and then sends it.</param>
    /// <exception cref="ProblemException">Too many wait.</exception>
    public async Task RunAsync(HttpContext context, Func<Task> answer)
    {
        Task sending;
        try
        {
            if (Interlocked.Increment(ref _present) > MostWaiting + 1)
                throw ProblemException.TooMany("others are waiting for such answers already: expected fewer at a time");
            await _turn.WaitAsync(context.RequestAborted);
            try
            {
                sending = await WorkAsync(context, answer);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _present);
        }
        await sending;
    }

    private async Task<Task> WorkAsync(HttpContext context, Func<Task> answer)
    {
        await processors.WaitAsync(context.RequestAborted);
        try
        {
            return await Task.Factory.StartNew(answer, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            processors.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
