using System.CommandLine;
using Meanwhile.Logging;
using Meanwhile.Terminal;
using Meanwhile.Terminal.Live;

namespace Meanwhile.Verbs;

/// <summary>
/// Where results are shown: as tables on standard output, or in the live view, or, where there is no terminal for that, as plain lines. Whoever brings them never waits for a
/// reader: else the broker would wait for us.
/// </summary>
internal sealed class ResultDisplay : IAsyncDisposable
{
    /// <summary>For the verbs that show results.</summary>
    public static readonly Option<bool> Live = new("--live")
    {
        Description = "show a row for each series on the whole screen; one line for each result where the output is no terminal",
    };

    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(1);

    private readonly VerbContext _context;
    private readonly CancellationTokenSource _ending;
    private readonly LogLimiter _limiter;
    private readonly LiveView? _view;
    private readonly Task _showing;
    private long _unsaid;

    private ResultDisplay(VerbContext context, string source, bool namesTopics, CancellationToken stop)
    {
        (_context, _limiter) = (context, new LogLimiter(context.Time));
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Stop = _ending.Token;
        if (context.CommandLine.GetValue(Live) && Screen.IsThere)
        {
            _view = new LiveView(new LiveModel(source, context.Time), context.LogDiversion, context.Time);
            (Show, _showing) = (_view.Add, EndWithAsync(_view.RunAsync(Stop)));
            return;
        }
        var lines = new OutputQueue(StandardHandle.Output, SayMissing);
        Show = context.CommandLine.GetValue(Live)
            ? (topic, result) => lines.Add(ResultLine.Format(context.Time.GetUtcNow(), topic, result))
            : (topic, result) => lines.Add((namesTopics ? SafeText.Of(topic) + "\n" : "") + StatsTable.Format(result));
        _showing = EndWithAsync(PrintAsync(lines));
    }

    /// <summary>Takes a result: its topic and its members.</summary>
    public Action<string, IReadOnlyList<StatsMember>> Show { get; }

    /// <summary>Cancelled when the program is told to stop, or the user leaves, or nobody reads the results any more.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Begins. To be called before anything is logged, which would tear the screen.</summary>
    /// <param name="source">Where results come from, in a few words.</param>
    /// <param name="namesTopics">A table has its topic on a line before it: there may be several topics.</param>
    public static ResultDisplay Start(VerbContext context, string source, bool namesTopics, CancellationToken stop) => new(context, source, namesTopics, stop);

    /// <summary>Takes in whether results arrive.</summary>
    public void Connect(bool isConnected) => _view?.Connect(isConnected);

    /// <summary>Gives the terminal back.</summary>
    /// <exception cref="OutputException">The results could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _showing;
        _ending.Dispose();
    }

    private async Task EndWithAsync(Task showing)
    {
        try
        {
            await showing;
        }
        finally
        {
            await _ending.CancelAsync();
        }
    }

    private async Task PrintAsync(OutputQueue lines)
    {
        await using var told = Stop.Register(lines.Complete);
        await lines.Writing.WaitAsync(Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await lines.Writing.WaitAsync(LastPatience, _context.Time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            _unsaid += lines.Missing;
        }
        if (_unsaid > 0)
            Log.ResultsDropped(_context.Logger, _unsaid);
    }

    private string SayMissing(long count)
    {
        _unsaid += count;
        if (_limiter.MayLog(nameof(SayMissing), out _))
        {
            Log.ResultsDropped(_context.Logger, _unsaid);
            _unsaid = 0;
        }
        return "";
    }
}
