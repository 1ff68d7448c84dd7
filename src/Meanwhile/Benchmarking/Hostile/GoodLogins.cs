using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Benchmarking.Hostile;

/// <summary>Users who mean well, and log in one after the other, each for the first time: measures until they are let in.</summary>
internal sealed class GoodLogins : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly int _port;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _running;
    private long _started;
    private int _next;

    public GoodLogins(int port, TimeProvider time)
    {
        (_port, _time, _started) = (port, time, time.GetTimestamp());
        _running = Task.Run(RunAsync);
    }

    /// <summary>The longest that a login took, or takes, since the last reset.</summary>
    public TimeSpan Longest { get; private set; }

    /// <summary>How many were let in since the last reset.</summary>
    public int LetIn { get; private set; }

    /// <summary>What was done to them, in words; a line each.</summary>
    public List<string> Refusals { get; } = [];

    /// <summary>Begins to measure anew.</summary>
    public void Reset() => (Longest, LetIn) = (TimeSpan.Zero, 0);

    /// <summary>The longest so far, with the one that is under way.</summary>
    public TimeSpan LongestSoFar() => _started == 0 ? Longest : TimeSpan.FromTicks(Math.Max(Longest.Ticks, _time.GetElapsedTime(_started).Ticks));

    /// <summary>Nobody logs in any more.</summary>
    public async Task EndAsync()
    {
        await _closing.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _closing.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            _started = _time.GetTimestamp();
            var answer = await LogInAsync($"{AttackedServer.NewUser}{_next++ % AttackedServer.NewUsers}");
            var took = _time.GetElapsedTime(_started);
            _started = 0;
            if (took > Longest)
                Longest = took;
            if (answer is null)
                LetIn++;
            else
                Refusals.Add(answer);
            await Task.Delay(Interval, _time, _closing.Token);
        }
    }

    // What was wrong; null for nothing.
    private async Task<string?> LogInAsync(string user)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _closing.Token);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var answer = new byte[64];
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, _port, both.Token);
            await socket.SendAsync(Packets.Connect(user, user), both.Token);
            var length = 0;
            while (length < 4)
            {
                var count = await socket.ReceiveAsync(answer.AsMemory(length), both.Token);
                if (count == 0)
                    return "a login was closed without an answer";
                length += count;
            }
            return answer[3] == 0 ? null : $"a login was refused (0x{answer[3]:x2})";
        }
        catch (SocketException e)
        {
            return $"a login failed ({e.Message})";
        }
        catch (OperationCanceledException) when (!_closing.IsCancellationRequested)
        {
            return $"a login was not answered within {Patience.TotalSeconds:N0} s";
        }
    }
}
