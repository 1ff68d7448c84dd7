using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Web;

/// <summary>
/// Limits how many are connected. A newcomer always gets in: of those without a request in hand, be it that they have none or take their time over its header, the one
/// that has been so for longest makes room. Since not all may have one in hand, there always is one, and who asks for health is always answered.
/// </summary>
internal sealed class ConnectionLimiter
{
    private const int Most = 192;
    private const int MostBusy = 128;

    private readonly LinkedList<WebConnection> _idle = new();
    private readonly Lock _gate = new();
    private int _busy;
    private long _dismissed;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _idle.Count + _busy;
        }
    }

    /// <summary>How many had to make room.</summary>
    public long Dismissed => Volatile.Read(ref _dismissed);

    /// <summary>Serves a connection.</summary>
    public async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new WebConnection(context);
        WebConnection? oldest = null;
        lock (_gate)
        {
            if (_idle.Count + _busy == Most)
            {
                oldest = _idle.First!.Value;
                _idle.RemoveFirst();
                _dismissed++;
            }
            _idle.AddLast(connection.Place);
        }
        oldest?.Context.Abort(new ConnectionAbortedException("others have come"));
        context.Features.Set(connection);
        try
        {
            await next(context);
        }
        finally
        {
            lock (_gate)
                connection.Place.List?.Remove(connection.Place);
        }
    }

    /// <summary>Takes a request in hand.</summary>
    /// <exception cref="ProblemException">There are too many.</exception>
    public void Begin(WebConnection connection)
    {
        lock (_gate)
        {
            if (_busy == MostBusy || connection.Place.List is null)
                throw ProblemException.TooMany("there are too many requests at a time: expected fewer");
            _idle.Remove(connection.Place);
            _busy++;
        }
    }

    /// <summary>The request is answered.</summary>
    public void End(WebConnection connection)
    {
        lock (_gate)
        {
            _busy--;
            _idle.AddLast(connection.Place);
        }
    }
}

/// <summary>A connection.</summary>
internal sealed class WebConnection
{
    public WebConnection(ConnectionContext context) => (Context, Place) = (context, new LinkedListNode<WebConnection>(this));

    public ConnectionContext Context { get; }

    /// <summary>Among those without a request in hand.</summary>
    public LinkedListNode<WebConnection> Place { get; }
}
