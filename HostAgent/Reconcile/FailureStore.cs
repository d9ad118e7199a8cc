using System.Text.Json;
using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Reconcile;

/// <summary>
/// Containers of one VM that the server gave up for good, with the reasons, in memory and on disk: a restarted agent does not
/// start them again. Not thread-safe.
/// </summary>
internal sealed class FailureStore(string directory, ILogger log)
{
    private readonly string _path = Path.Combine(directory, "failed.json");
    private Dictionary<string, string> _reasons = [];

    /// <summary>Reads what is on disk.</summary>
    public void Load()
    {
        try
        {
            if (File.Exists(_path))
                _reasons = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllBytes(_path)) ?? [];
        }
        catch (JsonException error)
        {
            log.LogError("{File} cannot be read ({Reason}); containers that this server gave up may be started again", _path, error.Message);
        }
    }

    /// <summary>Why a container was given up; null when it was not.</summary>
    public string? ReasonOf(string id) => _reasons.GetValueOrDefault(id);

    /// <summary>Adds one; on disk when it returns.</summary>
    public void Add(string id, string reason) => Save(new Dictionary<string, string>(_reasons) { [id] = reason });

    /// <summary>Drops all but those that are still wanted.</summary>
    public void Retain(IReadOnlySet<string> wanted)
    {
        if (!_reasons.Keys.All(wanted.Contains))
            Save(_reasons.Where(pair => wanted.Contains(pair.Key)).ToDictionary());
    }

    /// <summary>A disk that is full must not keep a server from getting its memory back.</summary>
    private void Save(Dictionary<string, string> reasons)
    {
        _reasons = reasons;
        try
        {
            Directory.CreateDirectory(directory);
            AtomicFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(reasons));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.LogError("{File} cannot be written ({Reason}): after a restart of the agent containers that were given up are started again", _path, error.Message);
        }
    }
}
