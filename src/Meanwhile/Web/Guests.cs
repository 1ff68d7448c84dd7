using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Web;

/// <summary>
/// Who is connected. A newcomer always gets in: of those without a request in hand, be it that they have none or take their time over its header, the one
/// that has been so for longest makes room. Since not all may have one in hand, there always is one, and who asks for health is always answered.
/// </summary>
internal sealed class Guests
{
    private const int Most = 192;
    private const int MostBusy = 128;

    private readonly LinkedList<Guest> _idle = new();
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
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var guest = new Guest(connection);
        Guest? oldest = null;
        lock (_gate)
        {
            if (_idle.Count + _busy == Most)
            {
                oldest = _idle.First!.Value;
                _idle.RemoveFirst();
                _dismissed++;
            }
            _idle.AddLast(guest.Place);
        }
        oldest?.Connection.Abort(new ConnectionAbortedException("others have come"));
        connection.Features.Set(guest);
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_gate)
                guest.Place.List?.Remove(guest.Place);
        }
    }

    /// <summary>Takes a request in hand.</summary>
    /// <exception cref="ProblemException">There are too many.</exception>
    public void Begin(Guest guest)
    {
        lock (_gate)
        {
            if (_busy == MostBusy || guest.Place.List is null)
                throw ProblemException.TooMany("there are too many requests at a time: expected fewer");
            _idle.Remove(guest.Place);
            _busy++;
        }
    }

    /// <summary>The request is answered.</summary>
    public void End(Guest guest)
    {
        lock (_gate)
        {
            _busy--;
            _idle.AddLast(guest.Place);
        }
    }
}

/// <summary>A connection.</summary>
internal sealed class Guest
{
    public Guest(ConnectionContext connection) => (Connection, Place) = (connection, new LinkedListNode<Guest>(this));

    public ConnectionContext Connection { get; }

    /// <summary>Among those without a request in hand.</summary>
    public LinkedListNode<Guest> Place { get; }
}
