using System.Net;
using System.Net.Sockets;
using Meanwhile.Trials;
using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;

namespace Meanwhile.Path.Bench;

/// <summary>One message alone: from its publication until our PUBACK passes a tap between mosquitto and us.</summary>
internal static class Latency
{
    /// <summary>Longer than a delayed acknowledgement of TCP: mosquitto leaves Nagle on, so that a message soon after another one waits for that as well.</summary>
    public const int LongPause = 100;

    /// <summary>Prints medians: the bare acknowledger's, ours, and the disk's.</summary>
    /// <param name="pause">Between two of them, in milliseconds.</param>
    /// <param name="noDelay">Whether mosquitto has Nagle turned off.</param>
    public static async Task RunAsync(int messages, string program, int pause, bool noDelay)
    {
        var folder = Directory.CreateTempSubdirectory("path-bench").FullName;
        using var mosquitto = new MosquittoProcess(folder, TimeProvider.System, "max_inflight_messages 20", $"set_tcp_nodelay {(noDelay ? "true" : "false")}");
        await mosquitto.StartAsync(CancellationToken.None);
        using var load = await Aggregate.LoadAsync(mosquitto.Port, series: 1);
        using var disk = new Disk(System.IO.Path.Combine(folder, "sync"), TimeProvider.System);
        using (var tap = new Tap(mosquitto.Port))
        await using (await ResultReader.StartAsync(Target.Local(tap.Port), Aggregate.Topic, series: 1, moved: null, CancellationToken.None))
            await MeasureAsync("bare", tap, load, messages, disk, TimeSpan.FromMilliseconds(pause / 2.0));
        using (var tap = new Tap(mosquitto.Port))
        using (await Aggregate.StartAsync(program, folder, $"127.0.0.1:{tap.Port}"))
            await MeasureAsync("ours", tap, load, messages, disk, TimeSpan.FromMilliseconds(pause / 2.0));
        Directory.Delete(folder, recursive: true);
    }

    // The disk is asked in between, because it is not the same from one second to the next.
    private static async Task MeasureAsync(string what, Tap tap, LoadGenerator load, int messages, Disk disk, TimeSpan halfAPause)
    {
        List<double> times = [], syncs = [];
        for (var i = 0; i < messages; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            var acknowledged = tap.NextAcknowledgementAsync();
            await load.PublishAllAsync(1);
            times.Add(TimeProvider.System.GetElapsedTime(start, await acknowledged).TotalMilliseconds);
            await Task.Delay(halfAPause, TimeProvider.System, CancellationToken.None);
            syncs.Add(disk.Sync(rows: 1).TotalMilliseconds);
            await Task.Delay(halfAPause, TimeProvider.System, CancellationToken.None);
        }
        Print(what, times);
        Print("  fdatasync in between", syncs);
    }

    private static void Print(string what, List<double> milliseconds)
    {
        milliseconds.Sort();
        Console.WriteLine($"{what}: median {milliseconds[milliseconds.Count / 2]:0.000} ms, p95 {milliseconds[milliseconds.Count * 95 / 100]:0.000} ms");
    }
}

/// <summary>Passes one connection through, and notes when a PUBACK passes.</summary>
internal sealed class Tap : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private TaskCompletionSource<long> _acknowledged = new();

    /// <summary>In front of a broker's port.</summary>
    public Tap(int brokerPort)
    {
        _listener.Start();
        _ = PassAsync(brokerPort);
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The timestamp of the next PUBACK.</summary>
    public Task<long> NextAcknowledgementAsync()
    {
        _acknowledged = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _acknowledged.Task;
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private async Task PassAsync(int brokerPort)
    {
        using var client = await _listener.AcceptSocketAsync();
        using var broker = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await broker.ConnectAsync(IPAddress.Loopback, brokerPort);
        client.NoDelay = true;
        await using var down = new NetworkStream(client);
        await using var up = new NetworkStream(broker);
        var downwards = up.CopyToAsync(down);
        using var fromClient = new RawConnection(client);
        List<byte> passed = [];
        try
        {
            while (true)
            {
                await fromClient.ReadAsync(Note, CancellationToken.None);
                await up.WriteAsync(passed.ToArray());
                passed.Clear();
            }
        }
        catch (TrialException)
        {
            // The client has gone.
        }
        broker.Close();
        await downwards.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        void Note(ReadOnlySpan<byte> packet, int headerLength)
        {
            if (packet[0] == PreparedPackets.PubAck)
                _acknowledged.TrySetResult(TimeProvider.System.GetTimestamp());
            passed.AddRange(packet);
        }
    }
}
