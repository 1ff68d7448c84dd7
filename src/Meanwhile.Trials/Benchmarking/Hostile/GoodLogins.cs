using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>New users who log in one after the other. Measures how long each login takes.</summary>
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

    /// <summary>The longest time that a login took since the last reset.</summary>
    public TimeSpan Longest { get; private set; }

    /// <summary>The number of successful logins since the last reset.</summary>
    public int LetIn { get; private set; }

    /// <summary>Failed logins, in words.</summary>
    public List<string> Refusals { get; } = [];

    /// <summary>Starts a new measurement.</summary>
    public void Reset() => (Longest, LetIn) = (TimeSpan.Zero, 0);

    /// <summary>The longest time so far, including the login in progress.</summary>
    public TimeSpan LongestSoFar() => _started == 0 ? Longest : TimeSpan.FromTicks(Math.Max(Longest.Ticks, _time.GetElapsedTime(_started).Ticks));

    /// <summary>Stops logging in.</summary>
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

    // What went wrong; null for nothing.
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
