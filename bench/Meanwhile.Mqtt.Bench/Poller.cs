using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Meanwhile.Mqtt.Bench;

/// <summary>Waits for many sockets at once, by Linux' epoll(7): one thread, and one call for all that are ready.</summary>
internal sealed class Poller : IDisposable
{
    private const int Add = 1;
    private const int Modify = 3;
    private const uint Readable = 1;
    private const uint Writable = 4;
    private const int MostEvents = 1024;

    private readonly int _handle = Create(0);
    private readonly Event[] _ready = new Event[MostEvents];
    private readonly List<Peer> _peers = [];

    /// <summary>Takes a peer in.</summary>
    public void Watch(Peer peer)
    {
        var index = _peers.Count;
        _peers.Add(peer);
        Control(peer, Add, index);
        peer.RoomIsMissing = () => Control(peer, Modify, index);
        peer.Begin();
    }

    /// <summary>Lets those who are ready do their work; waits at most so many milliseconds for them.</summary>
    public void Turn(int milliseconds)
    {
        var count = Wait(_handle, _ready, _ready.Length, milliseconds);
        for (var i = 0; i < count; i++)
        {
            var peer = _peers[(int)_ready[i].Data];
            if ((_ready[i].Kinds & Writable) != 0)
                peer.Flush();
            if ((_ready[i].Kinds & ~Writable) != 0)
                peer.Read();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Close(_handle);

    private void Control(Peer peer, int operation, int index)
    {
        var wanted = new Event { Kinds = peer.WaitsForRoom ? Readable | Writable : Readable, Data = index };
        if (Control(_handle, operation, (int)peer.Socket.Handle, ref wanted) != 0)
            throw new SocketException();
    }

    [DllImport("libc", EntryPoint = "epoll_create1")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Create(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int handle, int operation, int socket, ref Event wanted);

    [DllImport("libc", EntryPoint = "epoll_wait")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Wait(int handle, [Out] Event[] ready, int most, int milliseconds);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);

    // Packed on x64, and nowhere else.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Event
    {
        public uint Kinds;
        public long Data;
    }
}
