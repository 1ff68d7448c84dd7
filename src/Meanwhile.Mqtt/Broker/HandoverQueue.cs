using System.Diagnostics.CodeAnalysis;
using Meanwhile.Mqtt.Session;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// What goes to the host on behalf of clients that are not here: wills, and the end of sessions. While the host's queue is full it stands in line there, from the moment it is
/// handed over, so that it keeps its order; and nobody opens its client's session before it is through, so that there is never more than that of one session's end and beginning.
/// </summary>
/// <param name="processor">Takes it in.</param>
/// <param name="failed">Told of what should not have happened.</param>
internal sealed class HandoverQueue(IncomingProcessor processor, Action<Exception> failed)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Waiting> _waiting = new(StringComparer.Ordinal);

    /// <summary>Whether something stands in line for a client.</summary>
    /// <param name="clientId">Whose.</param>
    /// <param name="through">Completes when all of that is through.</param>
    public bool Has(string clientId, [NotNullWhen(true)] out Task? through)
    {
        lock (_gate)
            through = _waiting.GetValueOrDefault(clientId)?.Through.Task;
        return through is not null;
    }

    /// <summary>Hands something over.</summary>
    /// <param name="incoming">What. If it says who waits for its completion, it is through with that, else when the host has it.</param>
    /// <param name="through">Done then; not when the broker stops before.</param>
    /// <returns>Completes when it is through.</returns>
    public Task HandOver(in Incoming incoming, Action? through = null)
    {
        if (incoming.Completed is null && processor.TryTake(incoming))
        {
            through?.Invoke();
            return Task.CompletedTask;
        }
        lock (_gate)
        {
            if (!_waiting.TryGetValue(incoming.ClientId, out var waiting))
                _waiting.Add(incoming.ClientId, waiting = new Waiting());
            waiting.Count++;
        }
        return FollowAsync(incoming, through);
    }

    private async Task FollowAsync(Incoming incoming, Action? through)
    {
        try
        {
            var isTaken = await processor.TakeAsync(incoming);
            if (isTaken && incoming.Completed is { } completed)
                await completed.Task;
            if (isTaken)
                through?.Invoke();
            else
                incoming.Will?.Forget(); // The broker is being stopped: its own end is no client's death.
        }
        catch (Exception e)
        {
            failed(e);
        }
        Leave(incoming.ClientId);
    }

    private void Leave(string clientId)
    {
        lock (_gate)
        {
            var waiting = _waiting[clientId];
            if (--waiting.Count > 0)
                return;
            _waiting.Remove(clientId);
            waiting.Through.SetResult();
        }
    }

    private sealed class Waiting
    {
        public int Count { get; set; }

        public TaskCompletionSource Through { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
