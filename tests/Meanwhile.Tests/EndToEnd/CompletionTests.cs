using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What shells and man pages know of the program is what its help knows.</summary>
public sealed class CompletionTests : ProgramTest
{
    [Fact]
    public async Task Bash_completes_verbs_options_values_and_files()
    {
        await File.WriteAllTextAsync(Folder["readings.jsonl"], "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder["rc"], "PS1='$ '; source <(meanwhile completion bash)\n", TestContext.Current.CancellationToken);
        using var window = TerminalWindow.Open(Folder.Path, 100, 10, "exec bash --rcfile rc -i", "bash");
        await window.ShowsAsync("$");
        await CompleteAsync("meanwhile agg", "meanwhile aggregate");
        await CompleteAsync("--log-f", "meanwhile aggregate --log-format");
        await CompleteAsync("js", "meanwhile aggregate --log-format json");
        await CompleteAsync("--db rea", "meanwhile aggregate --log-format json --db readings.jsonl");

        async Task CompleteAsync(string typed, string completed)
        {
            window.Type(typed);
            window.Press("Tab");
            await window.WaitAsync(() => window.Screen.Any(line => line.TrimEnd() == $"$ {completed}"), $"'{typed}' is completed");
        }
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task There_is_a_script_for_each_shell(string shell)
    {
        var program = Meanwhile(["completion", shell]);
        Assert.Equal(0, await program.ExitAsync());
        Assert.Contains("[suggest:", program.Output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Folder["script"], program.Output, TestContext.Current.CancellationToken);
        var check = Peer(shell, "-n", Folder["script"]);
        Assert.Equal(0, await check.ExitAsync());
        Assert.Equal("", check.Error);
    }

    [Fact]
    [Trait("peer", "groff")]
    public async Task The_man_page_names_every_verb_and_option_and_troff_has_nothing_against_it()
    {
        var program = Meanwhile(["man"]);
        Assert.Equal(0, await program.ExitAsync());
        await File.WriteAllTextAsync(Folder["meanwhile.1"], program.Output, TestContext.Current.CancellationToken);
        var groff = Peer("groff", "-man", "-Tutf8", "-ww", "-P-c", "-rLL=200n", Folder["meanwhile.1"]);
        Assert.Equal(0, await groff.ExitAsync());
        Assert.Equal("", groff.Error);

        var page = Regex.Replace(groff.Output, ".\b|\e\\[[0-9;]*m", "").Replace('\u2010', '-');
        foreach (var verb in new[] { "demo", "broker", "publish", "aggregate", "watch", "query", "quarantine replay", "man" })
        {
            var help = Meanwhile([.. verb.Split(' '), "--help"]);
            Assert.Equal(0, await help.ExitAsync());
            Assert.Contains($"meanwhile {verb}", page, StringComparison.Ordinal);
            foreach (Match option in Regex.Matches(help.Output, @"(?<=^ +)--[a-z-]+", RegexOptions.Multiline))
                Assert.Contains(option.Value, page, StringComparison.Ordinal);
        }
    }
}
