using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Hosting;

namespace Meanwhile.Web;

/// <summary>What a client may take of the server. How many there may be is the affair of <see cref="ConnectionLimiter"/>.</summary>
internal static class ServerLimits
{
    // A topic has up to 64 KiB, and each byte may be written as three.
    private const int LongestRequestLine = 208 << 10;
    private const int LongestHeaders = 16 << 10;

    // Half a second of a fast network; what more the system would hold for a reader that does not read is not counted by anybody.
    private const int SendBuffer = 256 << 10;

    // What a request may bring along while another one is answered.
    private const int ReadAhead = 64 << 10;

    // A request's header takes milliseconds; an answer is taken at the pace of a bad mobile network, or not at all.
    private static readonly TimeSpan LongestHeaderTime = TimeSpan.FromSeconds(10);
    private static readonly MinDataRate SlowestReader = new(bytesPerSecond: 16 << 10, gracePeriod: TimeSpan.FromSeconds(5));

    // Answers that nobody takes do not keep the process from ending.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(2);

    /// <summary>Sets those of a request and its answer.</summary>
    public static void Apply(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = 0;
        limits.MaxRequestLineSize = LongestRequestLine;
        limits.MaxRequestHeadersTotalSize = LongestHeaders;
        limits.MaxRequestBufferSize = LongestRequestLine + LongestHeaders;
        limits.RequestHeadersTimeout = LongestHeaderTime;
        limits.MinResponseDataRate = SlowestReader;
    }

    /// <summary>Sets those of a connection: it gets them from the socket that listens.</summary>
    public static void Apply(SocketTransportOptions transport)
    {
        transport.MaxReadBufferSize = ReadAhead;
        transport.CreateBoundListenSocket = endPoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            socket.SendBufferSize = SendBuffer;
            return socket;
        };
    }

    /// <summary>Sets that of the end.</summary>
    public static void Apply(HostOptions host) => host.ShutdownTimeout = LongestEnd;
}
