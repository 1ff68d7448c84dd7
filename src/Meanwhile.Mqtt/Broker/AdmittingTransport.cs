using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Meanwhile.Mqtt.Broker;

/// <summary>Accepts connections, and asks <see cref="Admission"/> about each before the next one: else a flood is accepted before anybody looks at it, and no file is left to be opened.</summary>
/// <param name="inner">Accepts them.</param>
/// <param name="admission">Makes room for them, or sends them away.</param>
internal sealed class AdmittingTransport(IConnectionListenerFactory inner, Admission admission) : IConnectionListenerFactory
{
    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await inner.BindAsync(endpoint, cancellationToken), admission);

    private sealed class Listener(IConnectionListener inner, Admission admission) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await inner.AcceptAsync(cancellationToken) is { } connection)
            {
                await Task.Yield(); // Of a flood one is accepted at a time, between the work of others.
                if (admission.Enter(connection))
                    return connection;
                await connection.DisposeAsync();
            }
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
