using Deque.AxeCore.Playwright;
using Meanwhile.Tests.Support;
using Microsoft.Playwright;

namespace Meanwhile.Tests.Web.Browser;

/// <summary>Everybody can use the dashboard, and nobody can misuse it.</summary>
public sealed class DashboardUseTests(BrowserFixture browser) : BrowserTest(browser)
{
    private const string Token = "0123456789abcdef";

    [Fact]
    public async Task It_can_be_used_by_keyboard_alone()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var (topic, value) in new[] { ("a", "3"), ("b", "1"), ("c/t", "2"), ("d/t", "4") })
            await sender.SendAsync(topic, value);
        await OpenLiveAsync(http);
        await TextAsync("#focus-name", "a");

        await Page.Keyboard.PressAsync("Tab"); // The link that leads past everything.
        await Page.Keyboard.PressAsync("Enter");
        await FocusedAsync("grid");
        await Page.Keyboard.PressAsync("ArrowDown");
        await Page.Keyboard.PressAsync("ArrowDown");
        await TextAsync("#focus-name", "c/t");
        Assert.Equal("true", await Row("c/t").GetAttributeAsync("aria-selected"));
        Assert.Equal(await Row("c/t").GetAttributeAsync("id"), await Page.GetAttributeAsync("#grid", "aria-activedescendant"));
        Assert.Equal("solid", await Page.EvaluateAsync<string>("() => getComputedStyle(document.activeElement).outlineStyle"));

        await Page.Keyboard.PressAsync("Tab"); // The heading's first column, then the mean over the first window.
        await Page.Keyboard.PressAsync("Tab");
        await Page.Keyboard.PressAsync("Tab");
        await Page.Keyboard.PressAsync("Enter");
        await Page.WaitForFunctionAsync("() => document.querySelector('#grid [role=columnheader]:nth-child(3)').ariaSort === 'descending'");
        await Page.WaitForFunctionAsync("() => [...document.querySelectorAll('#grid .rows .tr:not([hidden])')].sort((a, b) => a.at - b.at).map(row => row.topic.textContent).join() === 'd/t,a,c/t,b'");

        await Page.Keyboard.PressAsync("/");
        await FocusedAsync("search");
        await Page.Keyboard.TypeAsync("T");
        await TextAsync("#series-count", "2 of 4");
        await Page.Keyboard.PressAsync("Enter");
        await Page.Keyboard.PressAsync("Home");
        await TextAsync("#focus-name", "d/t");

        await Page.FocusAsync("#chart");
        await TextAsync("#legend-text", "1 reading shown");
        await Page.Keyboard.PressAsync("ArrowLeft");
        await TextAsync("#legend-text", "reading 4 · 1 min 4.000");
        await CloseAsync(http);
    }

    [Theory]
    [InlineData(1440, 900, ColorScheme.Light)]
    [InlineData(1440, 900, ColorScheme.Dark)]
    [InlineData(360, 740, ColorScheme.Light)]
    [InlineData(2560, 1440, ColorScheme.Dark)]
    public async Task An_accessibility_check_finds_nothing_at_any_size_in_any_colours(int width, int height, ColorScheme colours)
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "plant/#", "--stats", "max");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await sender.SendAsync("plant/old", $$"""{"number": 1, "epochtime": {{now - 300}}}""");
        await sender.SendAsync("plant/new", "2");
        await sender.SendAsync("plant/odd", "nothing");
        await OpenLiveAsync(http, width, height, colours);
        await TextAsync("#quarantine", "plant/odd");
        await TextAsync("#legend-text", "1 reading shown");
        await Page.ClickAsync("#quarantine summary");
        await TextAsync("#quarantine pre", "nothing");

        var found = await Page.RunAxe();
        Assert.Empty(found.Violations.Select(violation => $"{violation.Id}: {violation.Help} at {string.Join(", ", violation.Nodes.Select(node => node.Html))}"));
        Assert.True(await Page.EvaluateAsync<bool>("() => document.scrollingElement.scrollWidth <= innerWidth"));
        await CloseAsync(http);
    }

    [Fact]
    public async Task Its_colours_are_those_of_the_system_until_others_are_chosen()
    {
        var (_, http, _) = await ServeAsync();
        await OpenLiveAsync(http, colours: ColorScheme.Dark);
        Assert.True(await IsDarkAsync());
        await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        Assert.False(await IsDarkAsync());
        await Page.ClickAsync("#theme");
        Assert.True(await IsDarkAsync());
        Assert.Equal("true", await Page.GetAttributeAsync("#theme", "aria-pressed"));
        await Page.ReloadAsync();
        Assert.True(await IsDarkAsync());
        await CloseAsync(http);

        Task<bool> IsDarkAsync() => Page.EvaluateAsync<bool>("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).every(part => part < 60)");
    }

    [Fact]
    public async Task Hostile_topics_and_payloads_do_no_harm()
    {
        const string Markup = "x/<img src=x onerror=\"window.hacked=1\"><script>window.hacked=2</script>";
        const string Turned = "x/\u202egnp.\u2066";
        var wide = "x/" + string.Concat(Enumerable.Repeat("W\u0301\u0301\u0301", 3000));
        var (_, http, mqtt) = await ServeAsync("--topic", "x/#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        foreach (var topic in new[] { Markup, Turned, wide, "x/__proto__", "x/constructor" })
        {
            await sender.SendAsync(topic, "1e308");
            await sender.SendAsync(topic, "</pre><script>window.hacked=3</script><svg onload=\"window.hacked=4\">" + new string('W', 5000));
        }
        await OpenLiveAsync(http, 360, 740);
        await TextAsync("#series-count", "5");
        foreach (var topic in new[] { Markup, "x/⟨202e⟩gnp.⟨2066⟩", "x/__proto__", "x/WWW".Replace("WWW", "W\u0301\u0301\u0301W", StringComparison.Ordinal) })
        {
            await Row(topic).First.ClickAsync();
            await TextAsync("#focus-name", topic);
            await TextAsync("#legend-text", "1 reading shown");
        }
        foreach (var item in await Page.Locator("#quarantine summary").AllAsync())
            await item.ClickAsync();
        await Page.WaitForFunctionAsync("() => document.querySelectorAll('#quarantine pre').length === 5 && [...document.querySelectorAll('#quarantine pre')].every(place => place.textContent.includes('window.hacked=3'))");

        Assert.True(await Page.EvaluateAsync<bool>("() => window.hacked === undefined && document.querySelector('main img, main script, #quarantine svg') === null"));
        Assert.True(await Page.EvaluateAsync<bool>("() => document.scrollingElement.scrollWidth <= innerWidth"));
        Assert.True(await Page.EvaluateAsync<bool>("() => [...document.querySelectorAll('#grid .tr:not([hidden])')].every(row => row.offsetHeight === 58)"));
        await CloseAsync(http);
    }

    [Fact]
    public async Task Where_a_token_is_wanted_the_page_asks_for_it()
    {
        await File.WriteAllTextAsync(Folder["token"], Token, TestContext.Current.CancellationToken);
        var (_, http, mqtt) = await ServeAsync("--http-token-file", "token");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        await sender.SendAsync("DATA", "12.5");
        await OpenAsync(http);
        await Page.FillAsync("#token-text", "something else that is wrong");
        await Page.Keyboard.PressAsync("Enter");
        await TextAsync("#token-wrong", "not the token");
        var found = await Page.RunAxe();
        Assert.Empty(found.Violations.Select(violation => $"{violation.Id}: {violation.Help}"));
        await Page.FillAsync("#token-text", Token);
        await Page.Keyboard.PressAsync("Enter");
        await StateAsync("live");
        await TextAsync("#grid", "12.50");
        await Page.ReloadAsync();
        await StateAsync("live");
        Assert.Equal(0, await Page.EvaluateAsync<int>("() => localStorage.length"));
        await CloseAsync(http);
    }

    private Task<IJSHandle> FocusedAsync(string id) => Page.WaitForFunctionAsync("id => document.activeElement.id === id", id);
}
