using System.Text.Json;
using Meanwhile.Tests.Support;
using Meanwhile.Trials.Benchmarking.Hostile;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>
/// Each attack of <c>bench hostile</c> at one percent of its size, without assertions about time: memory is bounded, good clients are not refused, the attacker gets nothing,
/// acknowledged readings are in the store, no connection is left, users can log in, and the server stops in good order.
/// </summary>
public sealed class HostileClientTests : ProgramTest
{
    private static readonly string[] Tiny = ["--sizes", "1", "--seconds", "0.1", "--rounds", "1"];

    /// <summary>All of them.</summary>
    public static TheoryData<string> Attacks => [.. HostileScenario.Attacks.Select(attack => attack.Key)];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task The_server_holds_up_and_good_clients_are_served(string attack)
    {
        var bench = Meanwhile(["bench", "hostile", "--attacks", attack, .. Tiny, "--json", Folder["figures.json"]], ("TMPDIR", Folder.Path));
        Assert.True(await bench.ExitAsync(TimeSpan.FromMinutes(3)) == 0, bench.Output + bench.Error);
        using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(Folder["figures.json"], TestContext.Current.CancellationToken));
        var row = Assert.Single(Assert.Single(figures.RootElement.GetProperty("scenarios").EnumerateArray()).GetProperty("rows").EnumerateArray());
        Assert.Contains("\n" + row.GetProperty("name").GetString(), bench.Output, StringComparison.Ordinal);
        Assert.InRange(row.GetProperty("figures").GetProperty("peak").GetProperty("median").GetDouble(), 1, 300);
        Assert.Empty(Directory.EnumerateDirectories(Folder.Path, "meanwhile-bench-*"));
    }

    [Fact]
    public async Task A_server_that_does_not_hold_up_fails_the_benchmark()
    {
        var open = Folder["open"];
        await File.WriteAllTextAsync(open, $"#!/bin/sh\n[ \"$1\" = aggregate ] && set -- \"$@\" --ws-origin http://evil.example\nexec {Path.Combine(AppContext.BaseDirectory, "meanwhile")} \"$@\"\n", TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows()) // As the whole benchmark is for Unix.
            File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var bench = Meanwhile(["bench", "hostile", "--attacks", "foreign-page", "--program", open, .. Tiny], ("TMPDIR", Folder.Path));
        Assert.Equal(1, await bench.ExitAsync(TimeSpan.FromMinutes(3)));
        Assert.Matches("\n1,000 WebSockets of a foreign page .* MISSED: .*see findings", bench.Output);
        Assert.Contains("\nfinding: 1,000 WebSockets of a foreign page: the answer was HTTP/1.1 101 Switching Protocols\n", bench.Output, StringComparison.Ordinal);
        Assert.Contains("meanwhile: the server did not hold up: 1 findings, the first: ", bench.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_attack_is_refused()
    {
        var bench = Meanwhile(["bench", "hostile", "--attacks", "none,unknown", .. Tiny]);
        Assert.Equal(2, await bench.ExitAsync());
        Assert.Contains("--attacks: 'none,unknown' cannot be understood: expected names of attacks; 'unknown' is not one", bench.Error, StringComparison.Ordinal);
    }
}
