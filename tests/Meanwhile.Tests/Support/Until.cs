namespace Meanwhile.Tests.Support;

/// <summary>Waits for conditions, never for seconds.</summary>
internal static class Until
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Waits until a condition holds; fails with a description after a minute, or when it cannot come about any more.</summary>
    public static async Task Async(Func<bool> condition, Func<string> describe, Func<bool>? giveUp = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience || giveUp?.Invoke() == true)
                Assert.Fail(describe());
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
