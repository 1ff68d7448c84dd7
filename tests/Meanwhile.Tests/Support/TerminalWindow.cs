using System.Diagnostics;
using System.Globalization;

namespace Meanwhile.Tests.Support;

/// <summary>A window of a terminal multiplexer of the test's own, in which a shell runs this repository's program.</summary>
internal sealed class TerminalWindow : IDisposable
{
    private readonly string _socket;
    private readonly string _folder;

    private TerminalWindow(string folder) => (_folder, _socket) = (folder, Path.Combine(folder, Path.GetRandomFileName()));

    /// <summary>Opens one, or skips the test where there is no tmux.</summary>
    /// <param name="folder">The working directory.</param>
    /// <param name="script">What its shell runs; <c>meanwhile</c> is in the path.</param>
    public static TerminalWindow Open(string folder, int width, int height, string script, string shell = "sh")
    {
        Peers.RequireProgram("tmux");
        var window = new TerminalWindow(folder);
        window.Run(
            "-f", "/dev/null", "new-session", "-d", "-x", $"{width}", "-y", $"{height}",
            "env", "-u", "NO_COLOR", $"PATH={AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}", "PS1=$ ", "LANG=C.UTF-8", shell, "-c", script);
        return window;
    }

    /// <summary>What is on the screen.</summary>
    public string[] Screen => Run("capture-pane", "-p").TrimEnd('\n').Split('\n');

    /// <summary>The same with escape sequences.</summary>
    public string Colours => Run("capture-pane", "-p", "-e");

    /// <summary>Cursor, alternate screen and wrapping, then echo and line editing: what a program has to leave as it was.</summary>
    public string State => Run("display", "-p", "cursor #{cursor_flag} alternate #{alternate_on} wrap #{wrap_flag}").TrimEnd() + Modes;

    private string Modes
    {
        get
        {
            using var stty = Process.Start(new ProcessStartInfo("stty", ["-a", "-F", Run("display", "-p", "#{pane_tty}").TrimEnd()]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            var words = stty.StandardOutput.ReadToEnd().Split([' ', ';', '\n'], StringSplitOptions.RemoveEmptyEntries);
            return string.Concat(words.Where(word => word is "echo" or "-echo" or "icanon" or "-icanon").Order(StringComparer.Ordinal).Select(word => $" {word}"));
        }
    }

    /// <summary>Waits until the screen shows a text.</summary>
    public Task ShowsAsync(string text) => WaitAsync(() => Screen.Any(line => line.Contains(text, StringComparison.Ordinal)), $"it shows '{text}'");

    /// <summary>Waits for a condition, with the screen in the failure.</summary>
    public Task WaitAsync(Func<bool> condition, string what) => Until.TrueAsync(condition, () => $"waiting until {what}; {State}\n{string.Join('\n', Screen)}");

    /// <summary>Types a text.</summary>
    public void Type(string text) => Run("send-keys", "-l", "--", text);

    /// <summary>Presses a key by its name in tmux.</summary>
    public void Press(string key) => Run("send-keys", key);

    /// <summary>Gives it another size.</summary>
    public void Resize(int width, int height) => Run("resize-window", "-x", $"{width}", "-y", $"{height}");

    /// <summary>Is gone, and waits until a program that did not hear of it has ended as well.</summary>
    /// <param name="pidFile">In the working directory, with that program's process id.</param>
    public async Task VanishAsync(string pidFile)
    {
        using var program = Process.GetProcessById(int.Parse(File.ReadAllText(Path.Combine(_folder, pidFile)), CultureInfo.InvariantCulture));
        Dispose();
        try
        {
            await Until.TrueAsync(() => program.HasExited, () => "waiting until it has ended");
        }
        finally
        {
            program.Kill();
        }
    }

    public void Dispose() => Run("kill-server");

    private string Run(params string[] arguments)
    {
        using var tmux = Process.Start(new ProcessStartInfo("tmux", ["-S", _socket, .. arguments]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        return tmux.StandardOutput.ReadToEnd();
    }
}
