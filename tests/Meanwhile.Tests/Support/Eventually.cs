namespace Meanwhile.Tests.Support;

/// <summary>Waits for a condition, never for so many seconds.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks again until a condition holds; fails with what was waited for when the time is up.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan deadline)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > deadline)
                Assert.Fail($"not seen within {deadline.TotalSeconds} s: {what}");
            await Task.Delay(Interval, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
