namespace Meanwhile.Tests.Support;

/// <summary>A test that starts programs in a folder of its own; whatever becomes of it, they end with it.</summary>
public abstract class ProgramTest : IDisposable
{
    private readonly List<RunningProgram> _programs = [];

    private protected TemporaryFolder Folder { get; } = new();

    private protected string Database => Folder["tmp/test.db"];

    public void Dispose()
    {
        foreach (var program in _programs)
            program.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected int Rows() => int.Parse(ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages")[0]);

    private protected bool HasTable() => ReadingsFile.Query(Database, "SELECT 1 FROM sqlite_master WHERE name = 'messages'").Count > 0;

    /// <summary>Starts this repository's program.</summary>
    private protected RunningProgram Meanwhile(string[] arguments, params (string Name, string Value)[] environment) =>
        Keep(RunningProgram.Meanwhile(Folder.Path, arguments, environment));

    /// <summary>Starts a peer, or skips the test where it is not installed.</summary>
    private protected RunningProgram Peer(string program, params string[] arguments) =>
        Keep(RunningProgram.Start(Peers.RequireProgram(program), Folder.Path, arguments));

    private RunningProgram Keep(RunningProgram program)
    {
        _programs.Add(program);
        return program;
    }
}
