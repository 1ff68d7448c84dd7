using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Looks at the first bytes of a connection, without taking them: whoever speaks another protocol than its port is told so, in that protocol.</summary>
/// <param name="expected">What the first bytes have to be.</param>
/// <param name="scheme">How clients name what the port is for.</param>
/// <param name="local">The port.</param>
internal sealed class PortGuard(Speech expected, string scheme, EndPoint? local)
{
    private readonly string _problem = $"port {(local as IPEndPoint)?.Port} is for {scheme}://";

    private string Expected => expected == Speech.Tls ? "the handshake of TLS" : "a request";

    /// <summary>Lets a connection through to those who speak what its port is for.</summary>
    public static async Task ServeAsync(PortGuard guard, ConnectionContext context, ConnectionDelegate next, BrokerParts parts)
    {
        if (await Opening.ReadAsync(context, parts, guard.Expected, IsMeantAsync))
            await next(context);

        async Task<bool> IsMeantAsync(CancellationToken end)
        {
            if (await guard.LookAsync(context.Transport.Input, end) is not { } stranger)
                return true;
            parts.Refused(stranger.Refusal((context.RemoteEndPoint as IPEndPoint)?.Address));
            await context.Transport.Output.WriteAsync(stranger.Answer, end);
            return false;
        }
    }

    /// <summary>Waits for the first bytes.</summary>
    /// <returns>Null unless they are those of another protocol that is known.</returns>
    public async ValueTask<Stranger?> LookAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var spoken = FirstBytes.Recognize(read.Buffer);
            var isOpen = spoken is null && !read.IsCompleted && !read.IsCanceled;
            var stranger = spoken is null or Speech.Unknown || spoken == expected ? null : Answer(spoken.Value, read.Buffer);
            input.AdvanceTo(read.Buffer.Start, isOpen ? read.Buffer.End : read.Buffer.Start);
            if (!isOpen)
                return stranger;
        }
    }

    private Stranger Answer(Speech spoken, ReadOnlySequence<byte> bytes)
    {
        if (spoken == Speech.Proxy)
            return new Stranger($"{_problem}, and this is a PROXY header: expected it only from a proxy that --proxy-protocol names", default);
        var missing = expected == Speech.Tls ? " without TLS" : expected == Speech.Http && spoken == Speech.Mqtt ? " without WebSocket" : "";
        var name = spoken switch
        {
            Speech.Tls => "TLS",
            Speech.Http => "HTTP, as browsers and WebSocket clients speak it",
            _ => "MQTT",
        };
        var problem = $"{_problem}, and this is {name}{missing}: expected {scheme}:// in the client's settings, or the port of another listener";
        return new Stranger(problem, FirstBytes.Refuse(spoken, bytes, problem));
    }
}

/// <summary>A client that speaks another protocol than its port.</summary>
/// <param name="Problem">What is wrong, and what to do.</param>
/// <param name="Answer">This, in its own protocol.</param>
internal sealed record Stranger(string Problem, ReadOnlyMemory<byte> Answer)
{
    /// <summary>What the host hears of it.</summary>
    public Refusal Refusal(IPAddress? from) => new(RefusalKind.Connection, "", ReasonCode.UnsupportedProtocolVersion, Problem) { From = $"{from}" };
}
