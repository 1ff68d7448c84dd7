using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A password asked for at a real terminal.</summary>
[Trait("peer", "tmux")]
public sealed class PasswordPromptTests : ProgramTest
{
    [Fact]
    public async Task It_is_asked_for_twice_and_never_shown()
    {
        using var window = TerminalWindow.Open(Folder.Path, 80, 10, "meanwhile passwd users ada; echo exit $?; cat");
        await window.ShowsAsync("Password of ada:");
        window.Type("secreX\x7Ft\n");
        await window.ShowsAsync("Again:");
        window.Type("secret\n");
        await window.ShowsAsync("exit 0");
        Assert.DoesNotContain(window.Screen, line => line.Contains("secre", StringComparison.Ordinal));
        Assert.StartsWith("ada:", await File.ReadAllTextAsync(Folder["users"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_asked_for_ever_when_the_terminal_is_gone()
    {
        using var window = TerminalWindow.Open(Folder.Path, 80, 10, "trap '' HUP; sh -c 'echo $$ > pid; exec meanwhile passwd users ada'");
        await window.ShowsAsync("Password of ada:");
        await window.VanishAsync("pid");
        Assert.False(File.Exists(Folder["users"]));
    }
}
