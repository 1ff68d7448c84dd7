using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Mqtt.Broker;

/// <summary>A connection as <see cref="Admission"/> sees it.</summary>
internal sealed class Visitor
{
    // What every client may have of a packet that is not complete, without being asked: a block of its pipe.
    private const int Free = 4096;

    private readonly Admission _admission;
    private volatile bool _isClient;
    private long _sent;

    public Visitor(Admission admission, ConnectionContext context)
    {
        (_admission, Context) = (admission, context);
        Place = new LinkedListNode<Visitor>(this);
    }

    /// <summary>The connection.</summary>
    public ConnectionContext Context { get; }

    /// <summary>What it takes until it is let in, beside what it has sent, in bytes, about.</summary>
    public int Cost { get; set; }

    /// <summary>Ends it with a word; null as long as it does not speak MQTT.</summary>
    public Action<ReasonCode, string>? Close { get; set; }

    /// <summary>It is let in.</summary>
    public bool IsClient => _isClient;

    /// <summary>It counts. This and what follows is the affair of <see cref="Admission"/>.</summary>
    public bool IsHere { get; set; }

    /// <summary>Among others that hold something.</summary>
    public LinkedListNode<Visitor> Place { get; }

    /// <summary>Out of which it holds something; null for none.</summary>
    public Budget? Budget { get; set; }

    /// <summary>What it holds, in bytes.</summary>
    public long Held { get; set; }

    /// <summary>So much has come of a packet that is not complete.</summary>
    public void Hold(long bytes)
    {
        bytes = _isClient && bytes <= Free ? 0 : bytes;
        if (bytes == _sent)
            return;
        _sent = bytes;
        if (_isClient)
            _admission.Serve(this, bytes);
        else
            _admission.Wait(this, bytes);
    }

    /// <summary>Its CONNECT is complete, and takes so much until it is answered.</summary>
    public void Judge(long bytes) => _admission.Judge(this, bytes);

    /// <summary>It is let in.</summary>
    public void Accept()
    {
        (_isClient, _sent) = (true, 0);
        _admission.Serve(this, 0);
    }

    /// <summary>It is a client no more; its connection may take some time to end, and gives way to newcomers.</summary>
    public void Return()
    {
        (_isClient, _sent) = (false, 0);
        _admission.Wait(this, 0);
    }
}
