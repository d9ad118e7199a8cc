using System.Diagnostics;
using System.Text.Json;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.State;

/// <summary>Keeps the routing table in <c>routes.json</c>. A file that cannot be read or written costs its content, nothing else.</summary>
internal sealed class RouteFile : BackgroundService
{
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly RoutingTable _routes;
    private readonly TimeProvider _time;
    private readonly ILogger<RouteFile> _logger;
    private readonly string _path;
    private bool _failing;

    public RouteFile(GatewayOptions options, RoutingTable routes, TimeProvider time, ILogger<RouteFile> logger)
    {
        (_routes, _time, _logger) = (routes, time, logger);
        _path = Path.Combine(options.StateDirectory, "routes.json");
    }

    /// <summary>Loads the file, then writes every change.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Load();
        _routes.Changed += Signal;
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Writes what changed last, then stops.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _routes.Changed -= Signal;
        await base.StopAsync(cancellationToken);
        if (_changed.CurrentCount > 0 || _unwritten)
            TryWrite();
    }

    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }

    private bool _unwritten;

    /// <summary>Pauses twenty times as long as a write takes: a large table that changes all the time costs little.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = Debounce;
        while (!stoppingToken.IsCancellationRequested)
        {
            await _changed.WaitAsync(stoppingToken);
            _unwritten = true;
            await Task.Delay(pause, _time, stoppingToken);
            var started = Stopwatch.GetTimestamp();
            var written = TryWrite();
            pause = written ? Stopwatch.GetElapsedTime(started) * 20 : LongestPause;
            pause = TimeSpan.FromTicks(Math.Clamp(pause.Ticks, Debounce.Ticks, LongestPause.Ticks));
            if (!written)
                Signal();
        }
    }

    private void Signal()
    {
        if (_changed.CurrentCount > 0)
            return;
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else signalled at the same time.
        }
    }

    private void Load()
    {
        try
        {
            if (!File.Exists(_path))
                return;
            using var file = File.OpenRead(_path);
            var saved = JsonSerializer.Deserialize(file, SavedRoutesJson.Default.SavedRoutes);
            if (saved?.Format != SavedRoutes.CurrentFormat)
                throw new JsonException($"its format is {saved?.Format.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "missing"}, not {SavedRoutes.CurrentFormat}");
            _routes.Restore(saved);
            _logger.LogInformation("Loaded {Apps} known apps from {Path}.", _routes.Count, _path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException or ArgumentException)
        {
            _logger.LogWarning("Ignoring {Path}: {Reason}. Routes are learned anew from the control plane.", _path, e.Message);
        }
    }

    private bool TryWrite()
    {
        try
        {
            _unwritten = false;
            Write(_routes.Save());
            _failing = false;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failing)
                _logger.LogWarning("Cannot write {Path}: {Reason}. A restart without the control plane would know older routes; free or permit it.", _path, e.Message);
            _failing = true;
            return false;
        }
    }

    private void Write(SavedRoutes saved)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        var temporary = _path + ".tmp";
        using (var file = File.Create(temporary))
        {
            JsonSerializer.Serialize(file, saved, SavedRoutesJson.Default.SavedRoutes);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, _path, overwrite: true);
    }
}
