namespace Meanwhile.Tests.Support;

/// <summary>Waits for conditions, never for seconds.</summary>
internal static class Until
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Waits until a condition holds; fails with a description when the time is up, or when it cannot come about any more.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> describe, TimeSpan? patience = null, Func<bool>? giveUp = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > (patience ?? Patience) || giveUp?.Invoke() == true)
                Assert.Fail(describe());
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, Func{string}, TimeSpan?, Func{bool}?)"/>
    public static Task TrueAsync(Func<bool> condition, Func<string> describe, Func<bool>? giveUp = null) =>
        TrueAsync(() => Task.FromResult(condition()), describe, patience: null, giveUp);
}
