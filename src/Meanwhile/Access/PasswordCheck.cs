using System.Net;

namespace Meanwhile.Access;

/// <summary>Checks passwords beside the loops that serve clients: few at a time, one for each address, and slowly where guesses were wrong.</summary>
/// <param name="time">The clock.</param>
internal sealed class PasswordCheck(TimeProvider time) : IDisposable
{
    private readonly LoginCallers _callers = new();
    private readonly SemaphoreSlim _lanes = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly long _start = time.GetTimestamp();

    /// <summary>Checks one.</summary>
    /// <param name="address">From where.</param>
    /// <param name="hash">The user's; null for a user that there is not, which takes as long.</param>
    /// <param name="password">The password.</param>
    /// <param name="stop">Nobody waits for it any more.</param>
    /// <returns>Whether it is right; null when too many wait.</returns>
    public async ValueTask<bool?> RunAsync(IPAddress? address, PasswordHash? hash, ReadOnlyMemory<byte> password, CancellationToken stop)
    {
        if (hash?.Remembers(password.Span) == true)
            return true;
        if (_callers.Enter(address, Now()) is not { } caller)
            return null;
        try
        {
            await caller.Turn.WaitAsync(stop);
            try
            {
                await Task.Delay(caller.Pause(Now()), time, stop);
                var isRight = await MatchAsync(hash, password, stop);
                if (!isRight)
                    caller.Fail(Now());
                return isRight;
            }
            finally
            {
                caller.Turn.Release();
            }
        }
        finally
        {
            _callers.Leave(caller);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lanes.Dispose();

    private async Task<bool> MatchAsync(PasswordHash? hash, ReadOnlyMemory<byte> password, CancellationToken stop)
    {
        await _lanes.WaitAsync(stop);
        try
        {
            return await Task.Run(() => (hash ?? PasswordHash.OfNobody).Matches(password.Span), stop) && hash is not null;
        }
        finally
        {
            _lanes.Release();
        }
    }

    private TimeSpan Now() => time.GetElapsedTime(_start);
}
