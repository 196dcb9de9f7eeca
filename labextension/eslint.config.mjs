import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib', 'node_modules', 'src/document/generated.ts'] },
  ...tseslint.configs.recommendedTypeChecked,
  hooks.configs.flat['recommended'],
  { languageOptions: { parserOptions: { project: './tsconfig.json' } } },
  {
    rules: {
      // A token has the name of what it stands for.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
      // Signals are connected with the method and its `this` apart.
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  { files: ['src/**/__tests__/**'], ...tseslint.configs.disableTypeChecked }
);
