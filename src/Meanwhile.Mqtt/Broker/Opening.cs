using System.Net;
using Meanwhile.Mqtt.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Reads what has to come first on a connection, in the time that there is for it.</summary>
internal static class Opening
{
    /// <summary>Reads it; whoever takes too long is cut off.</summary>
    /// <param name="context">The connection.</param>
    /// <param name="parts">What all connections share.</param>
    /// <param name="what">What has to come.</param>
    /// <param name="readAsync">Reads it, and says whether the connection may go on.</param>
    /// <returns>Whether the connection may go on.</returns>
    public static async Task<bool> ReadAsync(ConnectionContext context, BrokerParts parts, string what, Func<CancellationToken, Task<bool>> readAsync)
    {
        using var patience = new CancellationTokenSource(parts.Limits.ConnectTimeout, parts.Time);
        var stopping = context.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping); // What a client said before it left is read all the same.
        try
        {
            return await readAsync(end.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            if (patience.IsCancellationRequested)
            {
                var problem = $"{what} has not come within {parts.Limits.ConnectTimeout.TotalSeconds:0.#} seconds";
                parts.Refused(new Refusal(RefusalKind.Connection, "", ReasonCode.KeepAliveTimeout, problem) { From = $"{(context.RemoteEndPoint as IPEndPoint)?.Address}" });
            }
            context.Abort();
            return false;
        }
    }
}
