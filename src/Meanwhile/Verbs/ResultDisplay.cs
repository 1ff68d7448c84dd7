using System.CommandLine;
using Meanwhile.Terminal;
using Meanwhile.Terminal.Live;

namespace Meanwhile.Verbs;

/// <summary>Where results are shown: as tables on standard output, or in the live view, or, where there is no terminal for that, as plain lines.</summary>
internal sealed class ResultDisplay : IAsyncDisposable
{
    /// <summary>For the verbs that show results.</summary>
    public static readonly Option<bool> Live = new("--live")
    {
        Description = "show a row for each series on the whole screen; one line for each result where the output is no terminal",
    };

    private readonly CancellationTokenSource _ending;
    private readonly LiveView? _view;
    private readonly Task _showing;

    private ResultDisplay(Session session, string source, CancellationToken stop)
    {
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Stop = _ending.Token;
        if (!session.CommandLine.GetValue(Live))
        {
            (Show, _showing) = ((_, result) => Console.Out.Write(StatsTable.Format(result)), Task.CompletedTask);
        }
        else if (!Screen.IsThere)
        {
            (Show, _showing) = ((topic, result) => Console.Out.Write(ResultLine.Format(session.Time.GetUtcNow(), topic, result)), Task.CompletedTask);
        }
        else
        {
            _view = new LiveView(new LiveModel(source, session.Time), session.LogDiversion, session.Time);
            (Show, _showing) = (_view.Add, ShowAsync(_view));
        }
    }

    /// <summary>Takes a result: its topic and its members.</summary>
    public Action<string, IReadOnlyList<StatsMember>> Show { get; }

    /// <summary>Cancelled when the program is told to stop, or the user leaves.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Begins. To be called before anything is logged, which would tear the screen.</summary>
    /// <param name="source">Where results come from, in a few words.</param>
    public static ResultDisplay Start(Session session, string source, CancellationToken stop) => new(session, source, stop);

    /// <summary>Takes in whether results arrive.</summary>
    public void Connect(bool isConnected) => _view?.Connect(isConnected);

    /// <summary>Gives the terminal back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _showing;
        _ending.Dispose();
    }

    private async Task ShowAsync(LiveView view)
    {
        try
        {
            await view.RunAsync(Stop);
        }
        finally
        {
            await _ending.CancelAsync();
        }
    }
}
