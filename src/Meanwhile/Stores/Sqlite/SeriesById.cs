using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Stores.Sqlite;

/// <summary>The names of a file's series as they are read back. A name is checked here as on every way in: one that is none names nothing.</summary>
internal sealed class SeriesById
{
    private readonly Database _database;
    private readonly string? _unnamed;
    private readonly Dictionary<long, string> _names = [];
    private readonly Dictionary<long, string> _faults = [];
    private readonly Statement _find;
    private readonly long _mostKept;
    private long _kept;
    private bool _isWhole = true;

    /// <summary>Reads the table.</summary>
    /// <param name="filter">What rows without a series are read for.</param>
    /// <param name="mostKept">How many characters of names are kept; the others are looked up again.</param>
    public SeriesById(Database database, string filter, long mostKept = long.MaxValue)
    {
        (_database, _unnamed, _mostKept) = (database, LeftOut.UnnamedSeriesOf(filter), mostKept);
        _find = database.Prepare("SELECT topic FROM series WHERE id = ?");
        var all = database.Prepare("SELECT id, topic FROM series");
        while (all.Step())
        {
            var topic = all.TryText(1);
            if ((topic is null ? "the topic is not UTF-8" : Topic.FaultOf(topic)) is { } fault)
                _faults.Add(all.Integer(0), fault);
            else
                Keep(all.Integer(0), topic!);
        }
    }

    /// <summary>All that have a name.</summary>
    public IEnumerable<KeyValuePair<long, string>> Names => _names;

    /// <summary>A series has come.</summary>
    public void Add(long id, string name) => _names.Add(id, name);

    /// <summary>A series has gone.</summary>
    public void Remove(long id) => _names.Remove(id);

    /// <summary>The name of the series that a column of a row points to; null where it has none.</summary>
    public string? NameOf(Statement row, int column)
    {
        if (row.IsNull(column))
            return _unnamed;
        var id = row.Integer(column);
        return Find(id) ?? (_faults.ContainsKey(id) ? null : _unnamed);
    }

    /// <summary>Whether a column of a row points to a series.</summary>
    public bool IsNamed(Statement row, int column) => !row.IsNull(column) && (Find(row.Integer(column)) is not null || _faults.ContainsKey(row.Integer(column)));

    /// <summary>What is left out where readings are read. Reads the whole file if there is such a thing.</summary>
    public IEnumerable<LeftOut> FindLeftOut()
    {
        if (_faults.Count > 0 && Count($"series IN ({string.Join(',', _faults.Keys)})") is > 0 and var faulty)
            yield return LeftOut.OfFaults(faulty, [.. _faults.Select(fault => (fault.Key, fault.Value))]);
        if (_unnamed is null && Count("series IS NULL") is > 0 and var unnamed)
            yield return LeftOut.OfUnnamed(unnamed);
    }

    private string? Find(long id)
    {
        if (_names.TryGetValue(id, out var name) || _isWhole || _faults.ContainsKey(id))
            return name;
        if (_find.Bind(1, id).Step())
            Keep(id, name = _find.Text(0));
        _find.Reset();
        return name;
    }

    private void Keep(long id, string name)
    {
        _kept += name.Length;
        if (_kept > _mostKept)
        {
            _names.Clear();
            (_kept, _isWhole) = (name.Length, false);
        }
        _names.Add(id, name);
    }

    private long Count(string condition)
    {
        var count = _database.Prepare($"SELECT COUNT(*) FROM messages WHERE {condition}");
        count.Step();
        var rows = count.Integer(0);
        count.Reset();
        return rows;
    }
}
