using System.Net;

namespace Meanwhile.Access;

/// <summary>Checks passwords beside the loops that serve clients: few at a time, in fair turns, and slowly where guesses were wrong.</summary>
/// <param name="processors">How many there are; checks take half of them at most.</param>
/// <param name="time">The clock.</param>
internal sealed class PasswordCheck(int processors, TimeProvider time) : IDisposable
{
    private readonly LoginQueue _queue = new(Math.Max(1, processors / 2), time);

    /// <summary>Checks one.</summary>
    /// <param name="address">From where.</param>
    /// <param name="user">The user name.</param>
    /// <param name="hash">The user's; null for a user that there is not, which takes as long.</param>
    /// <param name="password">The password.</param>
    /// <param name="gone">Nobody waits for it any more.</param>
    /// <returns>Whether it is right; null when too many wait.</returns>
    public async ValueTask<bool?> RunAsync(IPAddress? address, string user, PasswordHash? hash, ReadOnlyMemory<byte> password, CancellationToken gone)
    {
        if (hash?.Remembers(password.Span) == true)
            return true;
        if (await _queue.WaitAsync(address, user, gone) is not { } attempt)
            return null;
        bool? isRight = null;
        var started = time.GetTimestamp();
        try
        {
            // What was begun counts, also when the client has gone meanwhile. Whoever waited for another client of the same user need not repeat its work.
            isRight = hash?.Remembers(password.Span) == true || (await MatchesAsync(hash ?? PasswordHash.OfNobody, password) && hash is not null);
            return isRight;
        }
        finally
        {
            _queue.Finish(attempt, isRight, rest: processors == 1 ? time.GetElapsedTime(started) : TimeSpan.Zero);
        }
    }

    // On a thread of its own: the pool has one for each processor, and on a small machine those who publish would wait for the other.
    private static Task<bool> MatchesAsync(PasswordHash hash, ReadOnlyMemory<byte> password) =>
        Task.Factory.StartNew(() => hash.Matches(password.Span), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc/>
    public void Dispose() => _queue.Dispose();
}
