using System.Net;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Hears from proxies for whom they connect: what they say has to come before anything else, and only they may say it.</summary>
/// <param name="proxies">Where they are.</param>
/// <param name="parts">What all connections share.</param>
internal sealed class ProxyGate(IReadOnlyList<IPNetwork> proxies, BrokerParts parts)
{
    /// <summary>Lets a connection through, from its own address or, by a proxy, from the address of its client.</summary>
    public async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var address = (context.RemoteEndPoint as IPEndPoint)?.Address;
        if (address is null || !IsProxy(address) || await Opening.ReadAsync(context, parts, "a PROXY header", end => HearAsync(context, address, end)))
            await next(context);
    }

    private bool IsProxy(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return proxies.Any(network => network.Contains(plain));
    }

    private async Task<bool> HearAsync(ConnectionContext context, IPAddress address, CancellationToken end)
    {
        while (true)
        {
            var read = await context.Transport.Input.ReadAsync(end);
            var rest = read.Buffer;
            try
            {
                if (ProxyHeader.TryRead(ref rest, out var source))
                {
                    context.Transport.Input.AdvanceTo(rest.Start);
                    context.RemoteEndPoint = source ?? context.RemoteEndPoint;
                    return true;
                }
            }
            catch (ProtocolException e)
            {
                return Refuse(address, e.Message);
            }
            if (read.IsCompleted) // A proxy that looks whether we are there may say nothing at all.
                return !rest.IsEmpty && Refuse(address, "it ended in the middle of its PROXY header");
            context.Transport.Input.AdvanceTo(rest.Start, rest.End);
        }
    }

    // Always false: the connection may not go on.
    private bool Refuse(IPAddress address, string problem)
    {
        parts.Refused(new Refusal(RefusalKind.Connection, "", ReasonCode.ProtocolError, problem) { From = $"{address}" });
        return false;
    }
}
