namespace Meanwhile.Stores.Sqlite;

/// <summary>Gives pages that a peak has left behind back to the file system, a few with each commit. What is reused anyway stays.</summary>
internal sealed class FreeSpace
{
    private const int CommitsBetweenLooks = 64;
    private const int SparePages = 1024;

    private readonly Statement _free;
    private readonly Statement _all;
    private readonly Statement _giveBack;
    private int _commits;

    public FreeSpace(Database database)
    {
        _free = database.Prepare("PRAGMA freelist_count");
        _all = database.Prepare("PRAGMA page_count");
        _giveBack = database.Prepare("PRAGMA incremental_vacuum(1024)");
    }

    /// <summary>Called in each transaction.</summary>
    public void GiveBack()
    {
        if (_commits++ % CommitsBetweenLooks != 0)
            return;
        var free = Value(_free);
        if (free > SparePages && free > Value(_all) / 2)
            _giveBack.Run();
    }

    private static long Value(Statement pragma)
    {
        pragma.Step();
        var value = pragma.Integer(0);
        pragma.Reset();
        return value;
    }
}
