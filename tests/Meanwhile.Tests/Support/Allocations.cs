namespace Meanwhile.Tests.Support;

/// <summary>What work allocates.</summary>
internal static class Allocations
{
    private const int Tries = 5;

    /// <summary>
    /// The fewest bytes of some tries: on a busy machine the runtime now and then charges a thread with some thousand bytes that its work does not allocate. What the
    /// work allocates is there each time.
    /// </summary>
    /// <param name="work">Done before: what it needs once is there.</param>
    public static long Of(Action work)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Tries && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
