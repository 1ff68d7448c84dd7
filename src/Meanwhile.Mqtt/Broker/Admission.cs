using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Meanwhile.Mqtt.Broker;

/// <summary>
/// Who is connected, and who makes room when there is none. Connections that are not let in yet share a small budget, from their first byte to the answer to CONNECT: of these the
/// oldest goes first, so that a newcomer always gets in. Clients share another one for packets that are not complete: there goes first who has sent nothing for longest.
/// </summary>
/// <param name="limits">How many may be here, and what they may hold.</param>
/// <param name="refused">Told of those who have to go.</param>
internal sealed class Admission(BrokerLimits limits, Action<Refusal> refused)
{
    private const string NotLetIn = "it was not let in yet, and others have come: the oldest of these makes room";
    private const string NotComplete = "packets that are not complete take up too much memory, and this client has sent nothing for longest";

    private readonly Lock _gate = new();
    private readonly Turns _turns = new();
    private readonly Budget _newcomers = new(limits.Newcomers, limits.NewcomerBytes / 2);
    private readonly Budget _judged = new(limits.Newcomers, limits.NewcomerBytes / 2);
    private readonly Budget _unfinished = new(int.MaxValue, limits.UnfinishedBytes);
    private readonly int _most = Math.Min(limits.Connections, OpenFiles.MostConnections);
    private volatile bool _isStopped;
    private int _count;

    /// <summary>A connection comes in.</summary>
    /// <returns>False when there is no room for it.</returns>
    public bool Enter(ConnectionContext context)
    {
        if (_isStopped)
            return false;
        var visitor = new Visitor(this, context);
        if (TryMakeRoom(visitor))
        {
            context.Features.Set(visitor);
            return true;
        }
        refused(new Refusal(RefusalKind.Connection, "", ReasonCode.ServerBusy, "too many connections"));
        return false;
    }

    /// <summary>Serves a connection from its first byte to its last.</summary>
    /// <param name="context">The connection.</param>
    /// <param name="cost">What it takes until it is let in, beside what it has sent of CONNECT, in bytes, about.</param>
    /// <param name="next">Serves it.</param>
    public async Task ServeAsync(ConnectionContext context, int cost, ConnectionDelegate next)
    {
        var visitor = context.Features.GetRequiredFeature<Visitor>();
        visitor.Cost = cost;
        context.Transport = new VisitorTransport(context.Transport, visitor, _turns);
        Wait(visitor, 0);
        try
        {
            await next(context);
        }
        finally
        {
            lock (_gate)
                Remove(visitor);
        }
    }

    /// <summary>It is not let in yet, and has sent so much of its CONNECT; or it was a client, and is to go.</summary>
    public void Wait(Visitor visitor, long bytes) => Move(visitor, _newcomers, visitor.Cost + bytes);

    /// <summary>Its CONNECT is complete, and is judged: those that are not complete make room before it.</summary>
    public void Judge(Visitor visitor, long bytes) => Move(visitor, _judged, visitor.Cost + bytes);

    /// <summary>It is a client, and has sent so much of a packet that is not complete.</summary>
    public void Serve(Visitor visitor, long bytes) => Move(visitor, bytes > 0 ? _unfinished : null, bytes);

    /// <summary>Nobody new comes in any more: those who do not speak MQTT yet go at once.</summary>
    public void Stop()
    {
        _isStopped = true;
        Visitor[] all;
        lock (_gate)
            all = [.. _newcomers.All];
        foreach (var visitor in all)
        {
            if (visitor.Close is null)
                visitor.Context.Abort();
        }
    }

    private bool TryMakeRoom(Visitor visitor)
    {
        Visitor? oldest = null;
        lock (_gate)
        {
            if (_count >= _most)
            {
                oldest = _newcomers.Oldest ?? _judged.Oldest;
                if (oldest is null)
                    return false;
                Remove(oldest);
            }
            _count++;
            visitor.IsHere = true;
        }
        if (oldest is not null)
            SendAway(oldest);
        Wait(visitor, 0);
        return true;
    }

    private void Move(Visitor visitor, Budget? budget, long bytes)
    {
        List<Visitor>? leaving = null;
        lock (_gate)
        {
            if (!visitor.IsHere)
                return;
            if (visitor.Budget != budget || budget == _unfinished) // There, whoever has sent something is the newest.
                visitor.Budget?.Remove(visitor);
            budget?.Put(visitor, bytes);
            while (budget is { IsOver: true, Oldest: { } oldest })
            {
                (leaving ??= []).Add(oldest);
                if (budget == _unfinished)
                    budget.Remove(oldest);
                else
                    Remove(oldest);
            }
        }
        foreach (var other in leaving ?? []) // Not under the lock: it ends at once, and leaves.
        {
            if (budget == _unfinished)
                other.Close?.Invoke(ReasonCode.ServerBusy, NotComplete);
            else
                SendAway(other);
        }
    }

    private void Remove(Visitor visitor)
    {
        visitor.Budget?.Remove(visitor);
        _count -= visitor.IsHere ? 1 : 0;
        visitor.IsHere = false;
    }

    private void SendAway(Visitor visitor)
    {
        if (visitor.Close is { } close)
            close(ReasonCode.ServerBusy, NotLetIn);
        else
            refused(new Refusal(RefusalKind.Connection, "", ReasonCode.ServerBusy, NotLetIn));
        visitor.Context.Abort(new ConnectionAbortedException(NotLetIn));
    }
}
