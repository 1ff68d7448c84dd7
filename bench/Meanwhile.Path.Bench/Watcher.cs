namespace Meanwhile.Path.Bench;

/// <summary>Asks for what the page asks for: everything at first, then the events, and the state once a second.</summary>
internal sealed class Watcher : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _reading = Task.CompletedTask;
    private long _bytes;

    /// <summary>What it has read so far.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Returns when it is looking.</summary>
    public static async Task<Watcher> StartAsync(HttpClient http, string topic)
    {
        var watcher = new Watcher();
        var events = await http.GetStreamAsync(new Uri($"/api/events?every=400ms&readings={Uri.EscapeDataString(topic)}", UriKind.Relative));
        foreach (var path in new[] { "/api/statistics?limit=10000", "/api/quarantine?order=newest&limit=50" })
            await http.GetByteArrayAsync(new Uri(path, UriKind.Relative));
        watcher._reading = Task.WhenAll(watcher.ReadAsync(events), watcher.AskAsync(http));
        return watcher;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ReadAsync(Stream events)
    {
        await using (events)
        {
            var buffer = new byte[64 << 10];
            while (await events.ReadAsync(buffer, _stop.Token) is > 0 and var read)
                Volatile.Write(ref _bytes, _bytes + read);
        }
    }

    private async Task AskAsync(HttpClient http)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
        while (await timer.WaitForNextTickAsync(_stop.Token))
            await http.GetByteArrayAsync(new Uri("/api/status", UriKind.Relative), _stop.Token);
    }
}
