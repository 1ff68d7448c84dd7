using System.Runtime.InteropServices;
using System.Text;
using Meanwhile.Logging;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Meanwhile.Terminal.Live;

/// <summary>
/// The whole terminal, lent: its alternate screen, without cursor and wrapping. Whatever ends the program gives it back, but for SIGKILL, which nobody can catch; a
/// suspended program (Ctrl-Z) gives it back for as long.
/// </summary>
internal sealed class Screen : IDisposable
{
    // Alternate screen; no cursor; no wrapping; characters stay in the order in which they are written, also those of scripts from right to left (ECMA-48, BDSM).
    private const string Take = "\e[?1049h\e[?25l\e[?7l\e[8l\e[2J";

    // And back, with the colours, and the cursor keys that the runtime has changed.
    private const string GiveBack = "\e[0m\e[8h\e[?7h\e[?25h\e[?1l\e>\e[?1049l";

    // Terminals that know it show what is between them at once.
    private const string Begin = "\e[?2026h";
    private const string End = "\e[?2026l";

    private readonly Lock _gate = new();
    private readonly StandardStream _output;
    private readonly ColorSystemSupport _colors;
    private readonly PosixSignalRegistration[] _signals;
    private string[] _shown = [];
    private (int Width, int Height) _size;
    private bool _isTaken;
    private bool _isEnded;

    /// <summary>Takes the terminal.</summary>
    /// <param name="leave">Called when the terminal is gone, or its user wants the program to end in a way that nobody else handles.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up a terminal that takes nothing.</param>
    public Screen(Action leave, TimeProvider time, CancellationToken stop)
    {
        _output = new StandardStream(StandardHandle.Output, time, stop);
        _colors = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors;
        _ = TryReadKey(out _); // With this the runtime turns the echo off; a key that was pressed before was for the shell.
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnExit;
        Resume();
        _signals = OperatingSystem.IsWindows() ? [] :
        [
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Leave),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Leave),
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, Sleep),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Resume()),
        ];

        void Leave(PosixSignalContext signal)
        {
            signal.Cancel = true;
            leave();
        }

        // The runtime leaves it to whoever listens to the signal.
        void Sleep(PosixSignalContext signal)
        {
            signal.Cancel = true;
            Suspend();
            _ = Kill(Environment.ProcessId, OperatingSystem.IsMacOS() ? 17 : 19); // SIGSTOP
        }
    }

    /// <summary>Standard output is a terminal that can be drawn on.</summary>
    public static bool IsThere => !Console.IsOutputRedirected && !OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Its size; it changes when the user likes.</summary>
    public static (int Width, int Height) Size => (Console.WindowWidth, Console.WindowHeight);

    /// <summary>The next key that was pressed, if there is one.</summary>
    public static bool TryReadKey(out ConsoleKeyInfo key)
    {
        var isThere = !Console.IsInputRedirected && Console.KeyAvailable;
        key = isThere ? Console.ReadKey(intercept: true) : default;
        return isThere;
    }

    /// <summary>Draws; only lines that have changed are written.</summary>
    /// <param name="frame">Its lines end with line breaks, and are at most as many as the screen has.</param>
    /// <param name="size">Of the screen.</param>
    /// <exception cref="OutputException">The terminal is gone.</exception>
    /// <exception cref="OperationCanceledException">It takes nothing, and the program is to end.</exception>
    public void Draw(IRenderable frame, (int Width, int Height) size)
    {
        var lines = Lines(frame, size.Width);
        lock (_gate)
        {
            if (!_isTaken)
                return;
            var changes = new StringBuilder();
            if (size != _size)
                changes.Append("\e[2J");
            for (var i = 0; i < lines.Length; i++)
            {
                if (size != _size || lines[i] != _shown[i])
                    changes.Append($"\e[{i + 1};1H\e[K").Append(lines[i]);
            }
            (_shown, _size) = (lines, size);
            if (changes.Length > 0)
                Write($"{Begin}{changes}{End}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in _signals)
            signal.Dispose();
        OnExit(null, EventArgs.Empty);
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnExit;
        _output.Dispose();
    }

    private void OnExit(object? sender, EventArgs e)
    {
        lock (_gate)
            _isEnded = true;
        Suspend();
    }

    private void Suspend()
    {
        lock (_gate)
        {
            if (!_isTaken)
                return;
            _isTaken = false;
            TryWrite(GiveBack);
        }
    }

    private void Resume()
    {
        lock (_gate)
        {
            if (_isTaken || _isEnded)
                return;
            (_isTaken, _size) = (true, default);
            TryWrite(Take);
        }
    }

    private void TryWrite(string text)
    {
        try
        {
            Write(text);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The terminal is gone: there is nothing to give back, and drawing will notice.
        }
    }

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private void Write(string text) => _output.Write(Console.OutputEncoding.GetBytes(text));

    private string[] Lines(IRenderable frame, int width)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = _colors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        console.Write(frame);
        return text.ToString().ReplaceLineEndings("\n").Split('\n')[..^1];
    }
}
