using Meanwhile.Access;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Access;

/// <summary>Files that change under a program that runs.</summary>
public sealed class WatchedFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ListLogger _log = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_change_is_in_force_once_it_was_seen_twice()
    {
        Write("file", "one");
        var files = Watch("file");
        Write("file", "two");
        files.Check(_log);
        Assert.Equal("one", files.Current);
        files.Check(_log);
        Assert.Equal("two", files.Current);
    }

    [Fact]
    public void A_link_above_that_is_changed_is_a_change() // As Kubernetes mounts secrets: file -> ..data/file, ..data -> a folder.
    {
        foreach (var name in new[] { "one", "two" })
        {
            Directory.CreateDirectory(_folder[name]);
            Write($"{name}/file", name);
        }
        Directory.CreateSymbolicLink(_folder["..data"], _folder["one"]);
        File.CreateSymbolicLink(_folder["file"], "..data/file");
        var files = Watch("file");
        Assert.Equal("one", files.Current);
        Directory.CreateSymbolicLink(_folder["..new"], _folder["two"]);
        Directory.Delete(_folder["..data"]);
        Directory.Move(_folder["..new"], _folder["..data"]);
        files.Check(_log);
        files.Check(_log);
        Assert.Equal("two", files.Current);
    }

    [Fact]
    public void What_cannot_be_understood_or_is_gone_leaves_the_old_in_force_and_is_said_once()
    {
        Write("file", "one");
        var files = Watch("file");
        Write("file", "bad");
        for (var i = 0; i < 5; i++)
            files.Check(_log);
        Assert.Equal("one", files.Current);
        Assert.Single(_log.Lines, line => line.Contains("it is bad", StringComparison.Ordinal));
        File.Delete(_folder["file"]);
        for (var i = 0; i < 5; i++)
            files.Check(_log);
        Assert.Equal("one", files.Current);
        Assert.Single(_log.Lines, line => line.Contains("cannot be read", StringComparison.Ordinal));
        Write("file", "two");
        files.Check(_log);
        files.Check(_log);
        Assert.Equal("two", files.Current);
    }

    [Theory]
    [InlineData("bad", "it is bad")]
    [InlineData(null, "cannot be read")]
    public void At_the_start_it_is_an_error_of_the_user(string? text, string problem)
    {
        if (text is not null)
            Write("file", text);
        var error = Assert.Throws<UserException>(() => Watch("file"));
        Assert.Equal(ExitCode.Usage, error.ExitCode);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    private WatchedFiles<string> Watch(string name) => new([_folder[name]], texts => texts[0] != "bad" ? texts[0] : throw new FormatException("it is bad"));

    private void Write(string name, string text) => File.WriteAllText(_folder[name], text);
}
