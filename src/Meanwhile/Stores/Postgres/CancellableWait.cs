namespace Meanwhile.Stores.Postgres;

/// <summary>Waits for what a server answers, which may be nothing, ever.</summary>
internal static class CancellableWait
{
    // The library asks the server to stop, and does so over a second connection, which may be silent as well; while it connects it does not heed a token at all.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Waits for an answer; once told to stop, no longer than a moment. What was asked is then left to itself.</summary>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    public static async Task ForAsync(Task answer, CancellationToken stop)
    {
        await answer.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await answer.WaitAsync(Patience, TimeProvider.System, CancellationToken.None);
        }
        catch (TimeoutException e) when (!answer.IsCompleted)
        {
            throw new OperationCanceledException("the server does not answer", e, stop);
        }
    }

    /// <inheritdoc cref="ForAsync(Task, CancellationToken)"/>
    public static async Task<T> ForAsync<T>(Task<T> answer, CancellationToken stop)
    {
        await ForAsync((Task)answer, stop);
        return await answer;
    }
}
