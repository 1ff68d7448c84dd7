namespace Meanwhile.Terminal.Live;

/// <summary>The live view without a terminal: results, keys and time go in, a page comes out. Not safe for several threads at once.</summary>
/// <param name="source">Where results come from, for the first line.</param>
/// <param name="time">The clock.</param>
internal sealed class LiveModel(string source, TimeProvider time)
{
    // How long a change is marked, and how long a series may be silent, which is twice what the seed's publisher takes at most.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private const int LongestFilter = 100;

    private readonly SeriesList _series = new(time);
    private string _state = "connecting";
    private bool _isConnected;
    private string _log = "";
    private string _filter = "";
    private bool _isTyping;
    private SeriesOrder _order;
    private int _firstColumn;
    private int _firstRow;
    private int _pageLength = 1;
    private LiveSeries? _selected; // Null for whatever is at the top.

    /// <summary>The user wants to leave.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Takes a result in.</summary>
    public void Add(string topic, IReadOnlyList<StatsMember> result) => _series.Add(topic, result);

    /// <summary>Takes in that results arrive from now on, or do not.</summary>
    public void Connect(bool isConnected) => (_isConnected, _state) = (isConnected, isConnected ? "connected" : "reconnecting");

    /// <summary>Takes in a line of the log.</summary>
    public void Say(string line) => _log = SafeText.Of(line);

    /// <summary>Does what a key asks for.</summary>
    public void Press(ConsoleKeyInfo key)
    {
        if (_isTyping && Type(key))
            return;
        var view = _series.View(_filter, _order);
        var at = Cursor(view);
        switch (key)
        {
            case { Key: ConsoleKey.UpArrow } or { KeyChar: 'k' }:
                Select(view, at - 1);
                break;
            case { Key: ConsoleKey.DownArrow } or { KeyChar: 'j' }:
                Select(view, at + 1);
                break;
            case { Key: ConsoleKey.PageUp }:
                Select(view, at - _pageLength);
                break;
            case { Key: ConsoleKey.PageDown } or { KeyChar: ' ' }:
                Select(view, at + _pageLength);
                break;
            case { Key: ConsoleKey.Home } or { KeyChar: 'g' }:
                Select(view, 0);
                break;
            case { Key: ConsoleKey.End } or { KeyChar: 'G' }:
                Select(view, view.Count - 1);
                break;
            default:
                Change(key);
                break;
        }
    }

    /// <summary>What is to be seen now, in a number of rows.</summary>
    public LivePage Page(int rows)
    {
        _pageLength = Math.Max(1, rows);
        var view = _series.View(_filter, _order);
        var at = Cursor(view);
        _firstRow = Math.Clamp(_firstRow, Math.Max(0, at - _pageLength + 1), at); // The cursor stays in sight,
        _firstRow = Math.Max(0, Math.Min(_firstRow, view.Count - _pageLength)); // and no row stays empty.
        return new LivePage
        {
            Source = source,
            State = _state,
            IsConnected = _isConnected,
            Results = _series.Results,
            LeftOut = _series.LeftOut,
            Series = _series.Count,
            Silent = _series.CountSilent(Patience),
            Matching = view.Count,
            Filter = _filter,
            IsTyping = _isTyping,
            Order = _order,
            Columns = _series.Columns,
            FirstColumn = _firstColumn,
            FirstRow = _firstRow,
            Rows = [.. view.Skip(_firstRow).Take(Math.Max(0, rows)).Select((series, i) => Row(series, isSelected: _firstRow + i == at))],
            Log = _log,
        };
    }

    private LiveRow Row(LiveSeries series, bool isSelected)
    {
        var age = time.GetElapsedTime(series.Updated);
        var cells = new LiveCell[_series.Columns.Count];
        for (var i = 0; i < cells.Length; i++)
            cells[i] = new LiveCell(series.Value(i) is { } value ? GeneralFormat.Format(value) : "", age < Fresh ? series.Change(i) : 0);
        return new LiveRow(series.Topic, cells, series.Recent(), series.Results, age) { IsSilent = age > Patience, IsSelected = isSelected };
    }

    private int Cursor(List<LiveSeries> view) => Math.Max(0, _selected is null ? 0 : view.IndexOf(_selected));

    private void Select(List<LiveSeries> view, int index)
    {
        index = Math.Clamp(index, 0, Math.Max(0, view.Count - 1));
        _selected = index == 0 ? null : view[index];
    }

    private void Change(ConsoleKeyInfo key)
    {
        switch (key)
        {
            case { Key: ConsoleKey.LeftArrow } or { KeyChar: 'h' }:
                _firstColumn = Math.Max(0, _firstColumn - 1);
                break;
            case { Key: ConsoleKey.RightArrow } or { KeyChar: 'l' }:
                _firstColumn = Math.Clamp(_firstColumn + 1, 0, Math.Max(0, _series.Columns.Count - 1));
                break;
            case { KeyChar: 's' }:
                _order = _order.Next(_series.Columns.Count);
                break;
            case { KeyChar: 'r' }:
                _order = _order with { IsReversed = !_order.IsReversed };
                break;
            case { KeyChar: '/' }:
                _isTyping = true;
                break;
            case { Key: ConsoleKey.Escape }:
                _filter = "";
                break;
            case { KeyChar: 'q' }:
                IsOver = true;
                break;
        }
    }

    // The cursor can be moved meanwhile, so keys that are no text are not for the filter.
    private bool Type(ConsoleKeyInfo key)
    {
        if (key.Key == ConsoleKey.Enter)
            _isTyping = false;
        else if (key.Key == ConsoleKey.Escape)
            (_isTyping, _filter) = (false, "");
        else if (key.Key == ConsoleKey.Backspace)
            _filter = _filter.Length == 0 ? "" : _filter[..^1];
        else if (key.KeyChar >= ' ' && _filter.Length < LongestFilter)
            _filter += key.KeyChar;
        else
            return false;
        return true;
    }
}
