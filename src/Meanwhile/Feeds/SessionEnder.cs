using System.Runtime.ExceptionServices;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>Ends sessions when somebody asks for it beside the broker's file.</summary>
/// <param name="broker">The broker.</param>
/// <param name="path">Its file.</param>
/// <param name="logger">For what was done.</param>
/// <param name="time">The clock.</param>
internal sealed class SessionEnder(MqttBroker broker, string path, ILogger logger, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly SessionRequests _requests = new(path); // Opened at once: later, a file that was deleted would be made anew.
    private Task _work = Task.CompletedTask;

    /// <summary>Looks for requests, unless it is still at work on others.</summary>
    public void Look()
    {
        if (!_work.IsCompleted)
            return;
        if (_work.Exception is { InnerException: { } failure })
            ExceptionDispatchInfo.Throw(failure);
        _work = EndAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _requests.Dispose();
        _stopping.Dispose();
    }

    private async Task EndAsync()
    {
        try
        {
            foreach (var (id, clientId) in _requests.Open(time.GetUtcNow().ToUnixTimeMilliseconds()))
            {
                var wasThere = await broker.EndSessionAsync(clientId, _stopping.Token);
                if (wasThere)
                    Log.SessionEnded(logger, clientId);
                _requests.Answer(id, wasThere);
            }
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // The file is held for a moment, or damaged, which the commits say; or the broker is being stopped. Who has asked asks again, or gives up.
        }
    }
}
