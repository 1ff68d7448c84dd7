using System.Net;

namespace Meanwhile.Access;

/// <summary>
/// Who waits for a password to be checked. Addresses take turns, those with the fewest failures first, so that none waits for the many logins of another; at one
/// address those with the fewest failures go first, and the newest before the oldest, who may have given up. Those who are too many go, the oldest of the most first.
/// </summary>
/// <param name="lanes">How many are checked at a time.</param>
/// <param name="time">The clock.</param>
internal sealed class LoginQueue(int lanes, TimeProvider time) : IDisposable
{
    private const int MostWaiting = 1000;
    private const int MostOfAddress = 200;
    private const int MostOfUser = 5;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly LoginRecords _records = new();
    private readonly OrderedDictionary<IPAddress, List<LoginAttempt>> _waiting = []; // The address whose turn is next first; each in the order of arrival.
    private readonly long _start = time.GetTimestamp();
    private ITimer? _timer;
    private int _free = lanes;
    private int _count;
    private TimeSpan _restUntil;

    /// <summary>Waits until a password may be checked.</summary>
    /// <param name="address">From where.</param>
    /// <param name="user">The user name.</param>
    /// <param name="gone">Nobody waits for the answer any more.</param>
    /// <returns>To be handed to <see cref="Finish"/>; null when too many wait, or it takes too long.</returns>
    public async ValueTask<LoginAttempt?> WaitAsync(IPAddress? address, string user, CancellationToken gone)
    {
        var attempt = Enter(LoginRecords.SourceOf(address), user);
        try
        {
            return await attempt.Turn.WaitAsync(LongestWait, time, gone) ? attempt : null;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Abandon(attempt);
            if (e is TimeoutException)
                return null;
            throw;
        }
    }

    /// <summary>The password was checked.</summary>
    /// <param name="attempt">Whose turn it was.</param>
    /// <param name="isRight">The outcome; null when there is none.</param>
    /// <param name="rest">For how long nobody is to be next, so that the processor has time for others.</param>
    public void Finish(LoginAttempt attempt, bool? isRight, TimeSpan rest)
    {
        lock (_gate)
        {
            var now = Now();
            attempt.OfUser.IsBeingChecked = false;
            if (isRight is { } answer)
                attempt.OfUser.Answer(answer, now);
            if (isRight == false)
                attempt.OfAddress.Answer(isRight: false, now);
            Leave(attempt);
            _free++;
            _restUntil = now + rest;
            CallNext();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _timer?.Dispose();
    }

    private LoginAttempt Enter(IPAddress address, string user)
    {
        lock (_gate)
        {
            var attempt = new LoginAttempt(address, user, _records.Enter(address, user: null), _records.Enter(address, user));
            MakeRoomFor(attempt);
            if (!_waiting.TryGetValue(address, out var waiting))
                _waiting.Add(address, waiting = []);
            waiting.Add(attempt);
            _count++;
            CallNext();
            return attempt;
        }
    }

    private void Leave(LoginAttempt attempt)
    {
        _records.Leave(attempt.Address, attempt.User, attempt.OfUser);
        _records.Leave(attempt.Address, user: null, attempt.OfAddress);
    }

    private void MakeRoomFor(LoginAttempt attempt)
    {
        var ofAddress = _waiting.GetValueOrDefault(attempt.Address) ?? [];
        if (attempt.OfUser.Waiting > MostOfUser && ofAddress.Find(other => other.OfUser == attempt.OfUser) is { } older)
            SendAway(older);
        else if (ofAddress.Count >= MostOfAddress)
            SendAway(ofAddress[0]);
        else if (_count >= MostWaiting)
            SendAway(_waiting.Values.MaxBy(waiting => waiting.Count)![0]);
    }

    private void SendAway(LoginAttempt attempt)
    {
        Remove(attempt);
        Leave(attempt);
        attempt.Call(isItsTurn: false);
    }

    private void Abandon(LoginAttempt attempt)
    {
        lock (_gate)
        {
            if (Remove(attempt))
                Leave(attempt);
            else if (attempt.Turn is { IsCompletedSuccessfully: true, Result: true }) // Its turn came at the last moment.
                Finish(attempt, isRight: null, rest: TimeSpan.Zero);
        }
    }

    private bool Remove(LoginAttempt attempt)
    {
        if (!_waiting.TryGetValue(attempt.Address, out var waiting) || !waiting.Remove(attempt))
            return false;
        _count--;
        if (waiting.Count == 0)
            _waiting.Remove(attempt.Address);
        return true;
    }

    private void CallNext()
    {
        var now = Now();
        while (_free > 0 && now >= _restUntil && Next(now) is { } next)
        {
            PutLast(next.Address);
            Remove(next);
            _free--;
            next.OfUser.IsBeingChecked = true;
            next.Call(isItsTurn: true);
        }
        if (_free > 0)
            CallNextLater(now);
    }

    private LoginAttempt? Next(TimeSpan now)
    {
        LoginAttempt? next = null;
        foreach (var waiting in _waiting.Values)
        {
            LoginAttempt? first = null;
            foreach (var attempt in waiting)
            {
                if (attempt.FreeFrom(now) <= now && (first is null || attempt.GoesBefore(first)))
                    first = attempt;
            }
            if (first is not null && (next is null || first.ComesFromBetterThan(next)))
                next = first;
        }
        return next;
    }

    private void PutLast(IPAddress address)
    {
        _waiting.Remove(address, out var waiting);
        _waiting.Add(address, waiting!);
    }

    // Somebody's pause, or ours, is to end first. While a password is checked, its end calls the next one.
    private void CallNextLater(TimeSpan now)
    {
        if (_waiting.Values.SelectMany(static waiting => waiting).Min(attempt => attempt.FreeFrom(now)) is not { } due)
            return;
        var wait = (due > _restUntil ? due : _restUntil) - now;
        _timer ??= time.CreateTimer(_ => CallNextNow(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void CallNextNow()
    {
        lock (_gate)
            CallNext();
    }

    private TimeSpan Now() => time.GetElapsedTime(_start);
}
