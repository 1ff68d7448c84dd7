using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>
/// Who makes an answer of one kind that is work: one at a time, so that it takes neither the machine nor the memory from the present. A few wait. Answers of
/// all kinds together take half of the processors at most, and no thread of the pool, for which those who publish would wait.
/// </summary>
/// <param name="processors">The turns of all kinds.</param>
internal sealed class Turns(SemaphoreSlim processors) : IDisposable
{
    private const int MostWaiting = 16;

    private readonly SemaphoreSlim _turn = new(1);
    private int _present;

    /// <summary>Makes an answer, and lets the next one begin once it is being sent.</summary>
    /// <param name="context">Who asks.</param>
    /// <param name="answer">Makes it before it waits for anything, and then sends it.</param>
    /// <exception cref="ProblemException">Too many wait.</exception>
    public async Task TakeAsync(HttpContext context, Func<Task> answer)
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
