using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Processes;

/// <summary>This machine, as seen by itself.</summary>
internal static class Loopback
{
    /// <summary>A port on which nobody listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Whether somebody listens on a port.</summary>
    public static async Task<bool> ListensAsync(int port, CancellationToken stop)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
