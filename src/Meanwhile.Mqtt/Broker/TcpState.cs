using System.Net.Sockets;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Asks the operating system about a TCP connection. A close that stands behind bytes which nobody reads is seen in no other way.</summary>
internal static class TcpState
{
    private const int Tcp = 6;

    // Linux: the first byte of what TCP_INFO tells is the state.
    private const int TcpInfo = 11;
    private const int Closed = 7;
    private const int CloseWait = 8;

    /// <summary>Whether the other end has closed the connection, or it is broken. Where the system cannot be asked, false.</summary>
    public static bool IsEnded(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        Span<byte> state = stackalloc byte[1];
        try
        {
            return socket.GetRawSocketOption(Tcp, TcpInfo, state) > 0 && state[0] is Closed or CloseWait;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }
}
